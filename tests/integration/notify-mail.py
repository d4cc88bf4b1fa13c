#!/usr/bin/python3
"""Proves: mails arrive at aiosmtpd over STARTTLS and TLS, parse with Python's email package to what was said, and cannot be bent by what is
in an alert; refusals of the server are told. notify-mail.py QUERYTRAIL_NOTIFY"""
import email
import email.policy
import html.parser
import logging
import ssl
import sys
import warnings

from notifystage import Notify, certificates, check, end, make_alert, skip_all, wait_for, work, write

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, SMTP
except ImportError:
    skip_all("aiosmtpd is not installed")

warnings.simplefilter("ignore")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
program = sys.argv[1]
files = certificates()
mails = []


class Handler:
    def __init__(self, name):
        self.name = name

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown"):
            return "550 5.1.1 nobody of this name"
        if address.startswith("grey"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.name == "full":
            return "452 4.3.1 no room"
        if self.name == "hates":
            return "554 5.7.1 looks like spam"
        mails.append((self.name, envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content or envelope.content,
                      session.ssl is not None, session.authenticated))
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"us", b"right horse"), handled=False)


class OnFreePort(Controller):
    """A controller that listens on a port of the system's choice and does not need to know it before."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def serve(name, **how):
    implicit = how.pop("implicit", None)
    controller = OnFreePort(Handler(name), hostname="127.0.0.1", port=0, ssl_context=implicit, authenticator=login, **how)
    controller.start()
    return controller


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(files["good.pem"], files["good.key"])
wrong = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
wrong.load_cert_chain(files["wrong.pem"], files["wrong.key"])
servers = {"starttls": serve("starttls", tls_context=context, require_starttls=True), "tls": serve("tls", implicit=context),
           "plain": serve("plain"), "full": serve("full"), "hates": serve("hates"), "wrong": serve("wrong", tls_context=wrong),
           "auth": serve("auth", tls_context=context, auth_required=True)}
write("password", "right horse\n")
write("badpassword", "wrong horse\n")


def channel(name, server, more="", tls="required", scheme="smtp", to="[sec@example.org]"):
    return (f"  {name}:\n    type: smtp\n    url: {scheme}://127.0.0.1:{servers[server].port}\n    tls: {tls}\n    ca_file: {files['ca.pem']}\n"
            f"    from: 'Ünï querytrail <alerts@example.org>'\n    to: {to}\n    min_severity: informational\n    timeout: 3s\n"
            f"    group_wait: 0s\n    group_interval: 0s\n    rate: 100000\n    retry_wait: 10s\n{more}")


auth = f"    username: us\n    password_file: {work}/password\n"
stage = Notify(program, channel("starttls", "starttls") + channel("tls", "tls", scheme="smtps")
               + channel("plain", "plain", tls="never", to="['Sécurité, Büro <sec@example.org>', b@example.org]")
               + channel("nostarttls", "plain") + channel("full", "full", tls="never") + channel("hates", "hates", tls="never")
               + channel("wrong", "wrong") + channel("auth", "auth", auth) + channel("badauth", "auth", auth.replace("password\n", "badpassword\n"))
               + channel("some", "plain", tls="never", to="[unknown@example.org, b@example.org]")
               + channel("none", "plain", tls="never", to="[unknown@example.org]") + channel("grey", "plain", tls="never", to="[grey@example.org]")
               + channel("group", "plain", "    group_limit: 3\n", tls="never").replace("group_wait: 0s", "group_wait: 300ms")).start()
daemon = stage.daemon


def deliver(name, alert, revision=1):
    """The receipt, and the mail if there was one."""
    daemon.clear()
    count = len(mails)
    daemon.send(alert, [name], revision)
    receipts = daemon.await_receipts(1)
    return (receipts or [None])[0], mails[count] if len(mails) > count else None


class Text(html.parser.HTMLParser):
    """The text of an HTML page, and the names of its elements."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.text, self.elements = "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)

    def handle_data(self, data):
        self.text += data


def parse(mail):
    message = email.message_from_bytes(mail[3], policy=email.policy.default)
    return message, message.get_body(("plain",)).get_content().replace("\r\n", "\n"), message.get_body(("html",)).get_content()


receipt, mail = deliver("plain", make_alert(1))
check("a mail is taken", receipt["outcome"] == "delivered" and receipt["text"] == "taken by the mail server", receipt)
check("sender and receivers are bare addresses", mail[1:3] == ("alerts@example.org", ["sec@example.org", "b@example.org"]), mail[:3])
message, text, page = parse(mail)
check("headers parse", message["From"] == "Ünï querytrail <alerts@example.org>" and message["Auto-Submitted"] == "auto-generated"
      and [each.addr_spec for each in message["To"].addresses] == ["sec@example.org", "b@example.org"] and not message.defects, message.items())
check("the subject tells it", message["Subject"] == "[high] xp_cmdshell was run: alice ran EXECUTE on master.xp_cmdshell through POST /jobs",
      message["Subject"])
check("it has a date and two parts", message["Date"].datetime is not None and message.get_content_type() == "multipart/alternative"
      and [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"])
for words in ("alice (authorizer.claims.email) from 203.0.113.9", "POST /jobs, answered 200, request req-1", "grade A: session context",
              "xp_cmdshell starts programs of the operating system.", "Ask alice.", "Turn xp_cmdshell off.", "EXEC xp_cmdshell 'dir'"):
    check(f"both parts say \"{words}\"", words in text and words in Text(page).text, (text, page))
check("the statement is marked in the text", "  | EXEC xp_cmdshell 'dir'\n  | GO\n" in text, text)
check("lines are short, and seven bits", max(len(line) for line in mail[3].split(b"\r\n")) <= 78 and max(mail[3]) < 127
      and not set(mail[3]) & (set(range(32)) - {10, 13}))
check("the HTML loads nothing", not set(Text(page).elements) & {"img", "script", "link", "iframe", "object", "form", "a"}, Text(page).elements)
_, again = deliver("plain", make_alert(1))
other = parse(deliver("plain", make_alert(2))[1])[0]
check("Message-ID is the same for the same alert, and only then", parse(again)[0]["Message-ID"] == message["Message-ID"] != other["Message-ID"]
      and message["Message-ID"].endswith("@example.org>"), (message["Message-ID"], other["Message-ID"]))

receipt, mail = deliver("starttls", make_alert(3))
check("STARTTLS with a verified certificate", receipt["outcome"] == "delivered" and mail[4], receipt)
receipt, mail = deliver("tls", make_alert(4))
check("TLS from the first byte", receipt["outcome"] == "delivered", receipt)
receipt, mail = deliver("nostarttls", make_alert(5))
check("a server without STARTTLS gets nothing", receipt["outcome"] == "retry" and mail is None, receipt)
receipt, mail = deliver("wrong", make_alert(6))
check("a certificate of another name: nothing is sent", receipt["outcome"] == "retry" and "certificate" in receipt["text"] and mail is None, receipt)
receipt, mail = deliver("auth", make_alert(7))
check("user and password", receipt["outcome"] == "delivered" and mail[5], receipt)
receipt, mail = deliver("badauth", make_alert(8))
check("a wrong password is tried again, somebody may put it right", receipt["outcome"] == "retry" and "password" in receipt["text"]
      and "horse" not in receipt["text"], receipt)
receipt, mail = deliver("full", make_alert(9))
check("4xx is tried again", receipt["outcome"] == "retry" and "452 4.3.1 no room" in receipt["text"], receipt)
receipt, mail = deliver("hates", make_alert(10))
check("5xx is dead, with the reply", receipt["outcome"] == "dead" and "554 5.7.1 looks like spam" in receipt["text"], receipt)
receipt, mail = deliver("some", make_alert(11))
check("a receiver that is refused does not keep it from the others; the receipt says so", receipt["outcome"] == "delivered"
      and "550 5.1.1" in receipt["text"] and mail[2] == ["b@example.org"], receipt)
receipt, mail = deliver("none", make_alert(12))
check("all receivers refused for good: dead", receipt["outcome"] == "dead" and mail is None, receipt)
receipt, mail = deliver("grey", make_alert(13))
check("all receivers put off: tried again", receipt["outcome"] == "retry" and mail is None, receipt)

daemon.clear()
count = len(mails)
for number in range(5):
    daemon.send(make_alert(0x20 + number), ["group"])
daemon.await_receipts(5)
groups = [parse(mail) for mail in mails[count:]]
check("a mail has up to three alerts and says how many more there are", len(groups) == 2 and groups[0][0]["Subject"].endswith("(and 4 more)")
      and "2 more alerts of this kind wait for the next mail." in groups[0][1]
      and len(groups[0][0].get_all("X-Querytrail-Alert")) == 3 and len(groups[1][0].get_all("X-Querytrail-Alert")) == 2, [each[1] for each in groups])

for name, value in (("title", "x\r\nBcc: evil@example.org"), ("rule", "r\nBcc: evil@example.org"), ("user", "u\r\n\r\n<b>body</b>"),
                    ("id", "1\r\nBcc: evil@example.org"), ("title", "=?utf-8?q?=0ABcc:_evil?="), ("severity", "high\r\nBcc: e@x"),
                    ("statement", "a\r\n.\r\nMAIL FROM:<evil@example.org>\r\n--=_x--\r\n"), ("route", "é" * 3000), ("table", "  a  b  ")):
    receipt, mail = deliver("plain", make_alert(14, **{name: value}))
    message, text, page = parse(mail)
    names = {header.lower() for header in message.keys()}
    check(f"a hostile {name} stays text", receipt["outcome"] == "delivered" and mail[2] == ["sec@example.org", "b@example.org"]
          and names == {"from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress", "x-querytrail-alert", "mime-version",
                        "content-type"} and len(list(message.walk())) == 3 and not message.defects and "\n" not in message["Subject"]
          and max(len(line) for line in mail[3].split(b"\r\n")) <= 78, (message.items(), message.defects))

status, told = stage.test("plain")
message, text, page = parse(mails[-1])
check("--test sends a mail that says it is a test", status == 0 and message["Subject"].startswith("TEST [low]") and text.startswith("This is a test"), told)
status, told = stage.test("none")
check("--test tells what the server said", status == 2 and "550 5.1.1 nobody of this name" in told, told)
stage.configure(channel("bad", "plain", to="['evil@example.org> RCPT TO:<x@y']"))
status, told = stage.test("bad")
check("an address that is none is a fault of the configuration", status == 78 and "not a mail address" in told, told)
check("SIGTERM ends it with status 0", stage.stop() == 0)
for server in servers.values():
    server.stop()
end()
