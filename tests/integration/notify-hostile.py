#!/usr/bin/python3
"""Proves: each text of tests/hostile/payloads.def, put into every field of an alert, goes through every channel as text: what comes out is
parsed by json, email, html.parser and rsyslog to the same text or its documented escaped form, and no control byte goes out.
notify-hostile.py QUERYTRAIL_NOTIFY"""
import email
import email.policy
import html.parser
import http.server
import json
import logging
import os
import re
import shutil
import socket
import sys
import threading
import warnings

import notifystage
from notifystage import Notify, check, end, free_port, printable, skip_all, spawn, wait_for, work, write

sys.path.insert(0, os.path.join(notifystage.ROOT, "tests", "hostile"))
from payloads import payloads  # noqa: E402

try:
    from aiosmtpd.controller import Controller
except ImportError:
    skip_all("aiosmtpd is not installed")
rsyslogd = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin")
if rsyslogd is None:
    skip_all("rsyslog is not installed")
warnings.simplefilter("ignore")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
HOSTILE = ("title", "explanation", "next_steps", "user", "route", "table", "principal", "statement", "user_agent", "grade_reason")
bodies, mails = {"hook": [], "pager": []}, []


class Receiver(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        bodies["hook" if self.path == "/hook" else "pager"].append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()


class Mail:
    async def handle_DATA(self, server, session, envelope):
        mails.append(envelope.original_content or envelope.content)
        return "250 taken"


class OnFreePort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
smtp = OnFreePort(Mail(), hostname="127.0.0.1", port=0)
smtp.start()
port = free_port()
out = os.path.join(work, "received.jsonl")
write("rsyslog.conf", f"""
global(workDirectory="{work}" maxMessageSize="8k" parser.escapeControlCharactersOnReceive="on" net.enableDNS="off")
module(load="imtcp")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="sd" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
}}
ruleset(name="file") {{ action(type="omfile" file="{out}" template="json" flushOnTXEnd="on") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="file")
""")
spawn([rsyslogd, "-n", "-f", f"{work}/rsyslog.conf", "-i", f"{work}/rsyslog.pid"])


def listens():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


wait_for(listens, 10)
same = "min_severity: informational\n    rate: 100000\n"
now = "    group_wait: 0s\n    group_interval: 0s\n    group_limit: 1\n"
syslog = f"type: syslog\n    host: 127.0.0.1\n    port: {port}\n    tls: false\n    {same}"
stage = Notify(sys.argv[1], f"  hook:\n    type: webhook\n    url: http://127.0.0.1:{server.server_address[1]}/hook\n    {same}{now}"
               f"  pager:\n    type: alertmanager\n    url: http://127.0.0.1:{server.server_address[1]}\n    resend_interval: 3m\n    {same}"
               f"  mail:\n    type: smtp\n    url: smtp://127.0.0.1:{smtp.port}\n    tls: never\n    from: a@example.org\n    to: b@example.org\n    {same}{now}"
               f"  log:\n    {syslog}  cef:\n    {syslog}    content: cef\n").start()
daemon = stage.daemon
texts = payloads()
for number, (_, text) in enumerate(texts):
    alert = {"id": f"{number:016x}", "state": "firing", "severity": "high", "rule": f"r{number}", "fired": "2026-11-22T10:00:00Z"}
    alert.update({field: text for field in HOSTILE})
    daemon.send(alert, ["hook", "pager", "mail", "log", "cef"])
receipts = daemon.await_receipts(5 * len(texts), 60)
bad = [each for each in receipts if each["outcome"] != "delivered"]
check(f"{len(texts)} payloads, five channels: all are taken", len(receipts) == 5 * len(texts) and not bad, (len(receipts), bad[:3]))


def exact(text):
    """What JSON's escapes give back: surrogates as such (pairs are joined), other invalid bytes as U+FFFD."""
    parts = re.split(rb"((?:\xed[\xa0-\xbf][\x80-\xbf])+)", text)
    joined = "".join(part.decode("utf-8", "surrogatepass" if index % 2 else "replace") for index, part in enumerate(parts))
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def block(text):
    """The documented form that keeps line feeds."""
    return "\n".join("    ".join(printable(piece) for piece in line.split(b"\t")) for line in
                     [line[:-1] if line.endswith(b"\r") and last is False else line
                      for line, last in zip(text.split(b"\n"), [False] * text.count(b"\n") + [True])])


def agrees(got, wanted):
    """Equal, or cut and then marked with an ellipsis."""
    return got == wanted or (got.endswith("…") and wanted.startswith(got[:-1]))


def clean(data, allowed=b""):
    return not [byte for byte in set(data) if (byte < 32 or byte == 127) and byte not in allowed]


def verify(name, count, found):
    """found: (number, problem or None)."""
    numbers = {number for number, _ in found}
    wrong = [(texts[number], problem) for number, problem in found if problem]
    check(f"{name}: {count} messages, each text is what was sent", len(found) == count == len(numbers) and not wrong, (len(found), len(numbers), wrong[:2]))


# webhook: exactly the text
found = []
for body in bodies["hook"]:
    alert = json.loads(body.decode("utf-8"))["data"]["alerts"][0]
    number = int(alert["id"], 16)
    wrong = [field for field in HOSTILE if not agrees(alert[field], exact(texts[number][1]))]
    found.append((number, (wrong, body[:300]) if wrong or not clean(body) or len(body) > 20000 else None))
verify("webhook", len(texts), found)

# Alertmanager: the printable form
found = []
for body in bodies["pager"]:
    for alert in json.loads(body.decode("utf-8")):
        number = int(alert["labels"]["alert_id"], 16)
        text = texts[number][1]
        good = (agrees(alert["labels"]["alertname"], printable(text)) and agrees(alert["annotations"]["statement"], block(text))
                and clean(body) and not set(alert["labels"]) - {"alertname", "alert_id", "severity", "rule"})
        found.append((number, None if good else alert))
verify("Alertmanager", len(texts), found)


class Page(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.text, self.elements, self.attributes = "", set(), set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data):
        self.text += data


# mail: headers, both parts, the shape
found = []
for data in mails:
    message = email.message_from_bytes(data, policy=email.policy.default)
    number = int(message["X-Querytrail-Alert"], 16)
    text = texts[number][1]
    plain = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    page = Page(message.get_body(("html",)).get_content().replace("\r\n", "\n"))
    statement = "\n".join("  | " + line for line in block(text).split("\n"))
    wanted = [statement[:4000].rstrip(" "), statement[:4000].rstrip(" ")]
    subject = re.fullmatch(r"\[high\] (.*)", message["Subject"], re.S)
    headers = [name.lower() for name in message.keys()]
    problems = [problem for problem, bad in (
        ("plain", wanted[0].rstrip() not in plain), ("html", block(text)[:4000].strip() not in page.text),
        ("subject", subject is None or not subject[1].startswith(printable(text)[:20])),
        ("headers", len(headers) != len(set(headers)) or set(headers) != {
            "from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress", "x-querytrail-alert", "mime-version",
            "content-type"}),
        ("parts", len(list(message.walk())) != 3 or bool(message.defects)),
        ("elements", page.elements - {"html", "head", "meta", "title", "body", "h2", "table", "tr", "th", "td", "pre", "span", "p", "code"}),
        ("attributes", page.attributes - {"lang", "charset", "style"}),
        ("lines", max(len(line) for line in data.split(b"\r\n")) > 78), ("bytes", not clean(data, b"\r\n") or max(data) > 126),
        ("bare", re.search(rb"(?<!\r)\n|\r(?!\n)", data))) if bad]
    found.append((number, (problems, message["Subject"], plain[:500], page.text[:300]) if problems else None))
verify("mail", len(texts), found)


def unescape(text, special):
    return re.sub(r"\\([" + re.escape(special) + "])", r"\1", text)


# syslog, as rsyslog has parsed it
with open(out, encoding="utf-8") as lines:
    received = [json.loads(line) for line in lines.read().split("\n")[:-1]]
structured = [line for line in received if line["sd"] != "-"]
found = []
for line in structured:
    match = re.fullmatch(r'\[querytrail@32473((?: [a-z_]+="(?:[^"\\\]]|\\["\\\]])*")*)\]', line["sd"])
    pairs = dict(re.findall(r' ([a-z_]+)="((?:[^"\\\]]|\\["\\\]])*)"', match[1])) if match else {}
    number = int(pairs.get("id", "0"), 16)
    wrong = [field for field in HOSTILE if not agrees(unescape(pairs.get(field, "?"), '"\\]'), printable(texts[number][1]))]
    good = match and not wrong and line["app"] == "querytrail" and line["msgid"] == "alert-firing" and clean((line["sd"] + line["msg"]).encode())
    found.append((number, None if good else (wrong, line)))
verify("syslog", len(texts), found)
found = []
for line in [line for line in received if line["sd"] == "-"]:
    text = line["msg"].lstrip(" ").lstrip("\ufeff")
    match = re.fullmatch(r"CEF:0\|querytrail\|querytrail\|1\|((?:[^|\\]|\\[|\\])*)\|((?:[^|\\]|\\[|\\])*)\|8\|(.*)", text, re.S)
    extension = match[3] if match else ""
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", extension))
    pairs = {key[1]: extension[key.end():keys[index + 1].start() if index + 1 < len(keys) else len(extension)] for index, key in enumerate(keys)}
    number = int(unescape(match[1], "|\\")[1:]) if match else 0
    wanted = printable(texts[number][1])
    names = [key[1] for key in keys]
    good = (match and agrees(unescape(match[2], "|\\"), wanted) and agrees(unescape(pairs.get("cs1", "?"), "=\\"), wanted)
            and agrees(unescape(pairs.get("suser", "?"), "=\\"), wanted) and len(names) == len(set(names)) and clean(text.encode())
            and pairs.get("externalId") == f"{number:016x}")
    found.append((number, None if good else (pairs, text[:600])))
verify("CEF", len(texts), found)
check("SIGTERM ends it with status 0", stage.stop() == 0)
smtp.stop()
end()
