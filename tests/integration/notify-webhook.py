#!/usr/bin/python3
"""Proves: webhooks are signed so that openssl verifies them, come at least once with stable ids, in groups, and a receiver that fails,
hangs, redirects or never ends holds up nobody. notify-webhook.py QUERYTRAIL_NOTIFY"""
import base64
import json
import http.server
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

from notifystage import Notify, certificates, check, end, make_alert, printable, wait_for, work, write
import notifystage

warnings.simplefilter("ignore", DeprecationWarning)
program = sys.argv[1]
seen = []  # (path, headers, body, time)


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body=b"ok\n", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        before = sum(1 for each in seen if each[0] == self.path)
        seen.append((self.path, dict(self.headers), body, time.time()))
        getattr(self, "on" + self.path.replace("/", "_"), self.on_ok)(before)

    def do_GET(self):
        seen.append(("GET " + self.path, dict(self.headers), b"", time.time()))
        self.reply(200)

    def on_ok(self, before):
        self.reply(200)

    def on_fail3(self, before):
        self.reply(500 if before < 3 else 204, b"" if before >= 3 else b"\r\nbroken \x1b[31m\n second line")

    def on_after(self, before):
        if before == 0:
            self.reply(429, b"slow down", Retry_After="2")
        else:
            self.reply(200)

    def on_date(self, before):
        if before == 0:
            self.reply(503, b"", Retry_After=self.date_time_string(int(time.time()) + 3))
        else:
            self.reply(200)

    def on_gone(self, before):
        self.reply(410, b"go away")

    def on_refuse(self, before):
        self.reply(400, b"<html>no such thing</html>\nmore")

    def on_picky(self, before):
        body = json.loads(seen[-1][2])
        bad = any(alert["id"].endswith("bad") for alert in body["data"]["alerts"])
        self.reply(422 if bad else 200, b"bad alert" if bad else b"")

    def on_moved(self, before):
        self.reply(302, b"", Location=f"http://127.0.0.1:{plain}/stolen")

    def on_hang(self, before):
        time.sleep(30)

    def on_drip(self, before):
        self.wfile.write(b"HTTP/1.1 ")
        for _ in range(40):
            self.wfile.write(b"2")
            self.wfile.flush()
            time.sleep(0.5)

    def on_endless(self, before):
        self.wfile.write(b"HTTP/1.1 500 no\r\nContent-Type: text/plain\r\n\r\n")
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass
        self.close_connection = True

    def on_reset(self, before):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def on_headers(self, before):
        try:
            self.wfile.write(b"HTTP/1.1 200 ok\r\n" + b"X-A: " + b"y" * 60000 + b"\r\n")
            while True:
                self.wfile.write(b"X-A: " + b"y" * 60000 + b"\r\n")
        except OSError:
            pass
        self.close_connection = True

    def on_garbage(self, before):
        self.wfile.write(b"\0\1\2 not http at all\r\n\r\n")
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def serve(context=None):
    server = Server(("127.0.0.1", 0), Receiver)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def tls_context(files, name, old=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(files[name + ".pem"], files[name + ".key"])
    return context


plain = serve()
files = certificates()
good, wrong, old = (serve(tls_context(files, *how)) for how in (("good",), ("wrong",), ("good", True)))

both = tls_context(files, "good")
both.verify_mode = ssl.CERT_REQUIRED
both.load_verify_locations(files["ca.pem"])
mutual = serve(both)

hmac_keys = [os.urandom(32), os.urandom(24)]
seed = os.urandom(32)
secret = write("signing", "# old and new\n" + "".join(f"whsec_{base64.b64encode(key).decode()}\n" for key in hmac_keys)
               + f"whsk_{base64.b64encode(seed).decode()}\n")


def channel(name, url, more=""):
    return (f"  {name}:\n    type: webhook\n    url: {url}\n    min_severity: informational\n    timeout: 2s\n    retry_wait: 20ms\n"
            f"    retry_max: 1h\n    group_wait: 0s\n    group_interval: 0s\n    rate: 100000\n{more}")


base = f"http://127.0.0.1:{plain}"
paths = ["ok", "fail3", "after", "date", "gone", "refuse", "moved", "hang", "drip", "endless", "reset", "garbage", "headers"]
stage = Notify(program, "".join(channel(path, f"{base}/{path}") for path in paths)
               + channel("signed", f"{base}/signed", f"    secret_file: {secret}\n")
               + channel("picky", f"{base}/picky").replace("group_wait: 0s", "group_wait: 300ms")
               + channel("grouped", f"{base}/grouped", "    group_limit: 3\n")
               .replace("group_wait: 0s", "group_wait: 500ms").replace("group_interval: 0s", "group_interval: 1s")
               + channel("giveup", f"{base}/reset", "    tries: 3\n")
               + channel("nobody", "http://127.0.0.1:1/", "    tries: 2\n")
               + channel("tls", f"https://127.0.0.1:{good}/tls", f"    ca_file: {files['ca.pem']}\n")
               + channel("localhost", f"https://localhost:{good}/tls", f"    ca_file: {files['ca.pem']}\n")
               + channel("wrongname", f"https://127.0.0.1:{wrong}/wrongname", f"    ca_file: {files['ca.pem']}\n")
               + channel("unknownca", f"https://127.0.0.1:{good}/unknownca", f"    ca_file: {files['other-ca.pem']}\n")
               + channel("systemca", f"https://127.0.0.1:{good}/systemca")
               + channel("mutual", f"https://127.0.0.1:{mutual}/mutual", f"    ca_file: {files['ca.pem']}\n    certificate_file: {files['wrong.pem']}\n    key_file: {files['wrong.key']}\n")
               + channel("uncertified", f"https://127.0.0.1:{mutual}/uncertified", f"    ca_file: {files['ca.pem']}\n")
               + channel("halfkey", f"https://127.0.0.1:{mutual}/halfkey", f"    key_file: {files['wrong.key']}\n")
               + channel("oldtls", f"https://127.0.0.1:{old}/oldtls", f"    ca_file: {files['ca.pem']}\n")
               + channel("slow", f"{base}/slow", "").replace("rate: 100000", "rate: 60")).start()
daemon = stage.daemon


def posts(path):
    return [each for each in seen if each[0] == "/" + path]


def receipts(name):
    return [each for each in daemon.receipts if each["channel"] == name]


def last(name, seconds=10):
    """The last receipt of a channel once it is not RETRY; alerts are sent again when they are due, as the daemon does."""
    handled = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        mine = receipts(name)
        if mine and mine[-1]["outcome"] != "retry":
            return mine[-1]
        if len(mine) > handled:
            handled = len(mine)
            each = mine[-1]
            time.sleep(max(0, each["next"] - time.time()))
            daemon.send(alerts[name], [(name, each["attempts"], each["next"])], each["revision"])
        time.sleep(0.02)
    return (receipts(name) or [None])[-1]


alerts = {}


def send(name, alert=None, revision=1):
    alerts[name] = alert or make_alert(len(alerts) + 1)
    daemon.send(alerts[name], [name], revision)


# the contract of a message
send("signed", make_alert(7, statement="SELECT 'é\u202e' /* \n */"))
receipt = last("signed")
check("a message that is taken gives a DELIVERED receipt", receipt and receipt["outcome"] == "delivered" and receipt["attempts"] == 0, receipt)
_, headers, body, _ = posts("signed")[0]
message = json.loads(body)
alert = message["data"]["alerts"][0]
check("HELLO says who we are, without kinds", daemon.hellos[0] == (b"querytrail-notify", b"notify", b"notify", 0), daemon.hellos)
check("the body has type, timestamp and data", message["type"] == "alert.firing" and message["timestamp"] == alerts["signed"]["fired"], message)
check("an alert has every field, exactly", {**alert, "revision": None} == {**alerts["signed"], "revision": None} and alert["revision"] == 1, alert)
check("the type of the content is JSON", headers["Content-Type"] == "application/json", headers)
identity, stamp = headers["webhook-id"], headers["webhook-timestamp"]
check("the time stamp is the time of the try", abs(int(stamp) - time.time()) < 10, stamp)
signatures = headers["webhook-signature"].split(" ")
check("each secret signs", [each.split(",")[0] for each in signatures] == ["v1", "v1", "v1a"], signatures)
content = f"{identity}.{stamp}.".encode() + body
write("content", "")
open(os.path.join(work, "content"), "wb").write(content)
for index, key in enumerate(hmac_keys):
    mac = subprocess.run(["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + key.hex(), "-binary",
                          os.path.join(work, "content")], check=True, capture_output=True).stdout
    check(f"openssl computes signature {index + 1}", "v1," + base64.b64encode(mac).decode() == signatures[index], signatures[index])
der = bytes.fromhex("302e020100300506032b657004220420") + seed
open(os.path.join(work, "seed.der"), "wb").write(der)
subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", "seed.der", "-pubout", "-out", "seed.pub"], check=True, cwd=work)
open(os.path.join(work, "signature"), "wb").write(base64.b64decode(signatures[2][4:]))
verified = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "seed.pub", "-rawin", "-in", "content", "-sigfile", "signature"],
                          cwd=work, capture_output=True, text=True, check=False)
check("openssl verifies the Ed25519 signature", "Verified Successfully" in verified.stdout, verified)

# rotation: a changed file counts from the next message on
new = os.urandom(32)
write("signing", f"whsec_{base64.b64encode(new).decode()}\n")
send("signed", make_alert(8))
wait_for(lambda: len(posts("signed")) == 2)
check("a changed secret is used at once", len(posts("signed")) == 2 and posts("signed")[1][1]["webhook-signature"].count(",") == 1, posts("signed")[1:])
write("signing", "whsec_short\n")
send("signed", make_alert(9))
bad = wait_for(lambda: receipts("signed")[2:])
check("a secret that is none: not sent, tried later, and the reason without the secret",
      bad and bad[0]["outcome"] == "retry" and "line 1" in bad[0]["text"] and "short" not in bad[0]["text"] and len(posts("signed")) == 2, bad)
write("signing", "whsec_" + base64.b64encode(new).decode() + "\n", 0o644)
daemon.send(alerts["signed"], [("signed", 1, 0)])
bad = wait_for(lambda: receipts("signed")[3:])
check("a secret that everybody may read is refused", bad and bad[0]["outcome"] == "retry" and len(posts("signed")) == 2, bad)

# a receiver that hangs holds up nobody
for name in ("hang", "drip"):
    send(name)
started = time.time()
send("ok")
receipt = last("ok", 5)
check("a channel that hangs does not hold up another", receipt and receipt["outcome"] == "delivered" and time.time() - started < 1.5, receipt)
for name in ("hang", "drip"):
    mine = wait_for(lambda name=name: receipts(name), 6)
    check(f"{name}: given back when its time is over", mine and mine[0]["outcome"] == "retry" and 1.5 < mine[0]["at"] - started < 5, mine)

# failures and what they mean
for name in ("fail3", "after", "date", "gone", "refuse", "moved", "endless", "reset", "giveup", "nobody", "garbage", "headers"):
    send(name)
receipt = last("fail3")
mine = receipts("fail3")
check("500 three times, then taken", [each["outcome"] for each in mine] == ["retry"] * 3 + ["delivered"], mine)
check("attempts are counted", [each["attempts"] for each in mine] == [1, 2, 3, 3], mine)
check("the id of a message is the same on each try", len({each[1]["webhook-id"] for each in posts("fail3")}) == 1, posts("fail3"))
check("the body is the same on each try", len({each[2] for each in posts("fail3")}) == 1, posts("fail3"))
check("the reply's first line is told, escaped", mine[0]["text"] == "HTTP 500: broken \\u{1b}[31m", mine[0])
last("after")
after = posts("after")
check("Retry-After in seconds is honoured", len(after) == 2 and 2.0 <= after[1][3] - after[0][3] < 3.5, [each[3] for each in after])
last("date")
date = posts("date")
check("Retry-After as a date is honoured", len(date) == 2 and 1.5 <= date[1][3] - date[0][3] < 4.5, [each[3] for each in date])
receipt = last("gone")
check("410 is dead at once", receipt["outcome"] == "dead" and "410" in receipt["text"], receipt)
send("gone", make_alert(77))
mine = wait_for(lambda: receipts("gone")[1:])
check("after 410 nothing is sent any more", mine and mine[0]["outcome"] == "dead" and len(posts("gone")) == 1, mine)
receipt = last("refuse")
check("400 is dead with the reply's first line", receipt["outcome"] == "dead" and receipt["text"] == "HTTP 400: <html>no such thing</html>", receipt)
receipt = last("moved")
check("a redirect is not followed", receipt["outcome"] == "dead" and "redirect" in receipt["text"]
      and not [each for each in seen if "stolen" in each[0]], receipt)
mine = wait_for(lambda: receipts("endless"))
check("a reply without end is cut; its status counts", mine and mine[0]["outcome"] == "retry" and mine[0]["text"].startswith("HTTP 500"), mine)
mine = wait_for(lambda: receipts("reset"))
check("a connection that is reset is tried again", mine and mine[0]["outcome"] == "retry", mine)
mine = wait_for(lambda: receipts("garbage"))
check("what is no HTTP is tried again", mine and mine[0]["outcome"] == "retry", mine)
mine = wait_for(lambda: receipts("headers"))
check("headers without end are cut", bool(mine), mine)
receipt = last("giveup")
check("after the last try it is dead, with the reason", receipt["outcome"] == "dead" and receipt["attempts"] == 3 and receipt["text"].startswith("given up after 3 tries: "), receipt)
receipt = last("nobody")
check("a port where nobody listens: tries, then dead", receipt["outcome"] == "dead" and receipt["attempts"] == 2, receipt)

# TLS
for name in ("tls", "localhost", "wrongname", "unknownca", "systemca", "oldtls"):
    send(name)
check("TLS with our CA and the right name is taken", last("tls")["outcome"] == "delivered" and last("localhost")["outcome"] == "delivered")
for name in ("wrongname", "unknownca", "systemca"):
    mine = wait_for(lambda name=name: receipts(name))
    check(f"{name}: not sent; the certificate is named", mine and mine[0]["outcome"] == "retry" and "certificate" in mine[0]["text"] and not posts(name), mine)
for name in ("mutual", "uncertified", "halfkey"):
    send(name)
check("a receiver that asks for our certificate gets it", last("mutual")["outcome"] == "delivered")
mine = wait_for(lambda: receipts("uncertified"))
check("without one it refuses, and that is tried again", mine and mine[0]["outcome"] == "retry" and not posts("uncertified"), mine)
mine = wait_for(lambda: receipts("halfkey"))
check("a key without a certificate is told", mine and mine[0]["outcome"] == "retry" and "certificate_file" in mine[0]["text"], mine)
mine = wait_for(lambda: receipts("oldtls"))
check("TLS 1.1 is not spoken", mine and mine[0]["outcome"] == "retry" and not posts("oldtls"), mine)

# groups
for number in range(5):
    daemon.send(make_alert(0x500 + number), ["grouped"])
daemon.send(make_alert(0x600, user="bob"), ["grouped"])
wait_for(lambda: len(receipts("grouped")) == 6, 10)
groups = [json.loads(each[2]) for each in posts("grouped")]
sizes = sorted((group["data"]["alerts"][0]["user"], len(group["data"]["alerts"]), group["data"]["more"]) for group in groups)
check("alerts of a rule and person come in one message, which says how many more", sizes == [("alice", 2, 0), ("alice", 3, 2), ("bob", 1, 0)], sizes)
times = sorted(each[3] for each in posts("grouped") if b'"alice"' in each[2])
check("the next message of a group waits for group_interval", times[1] - times[0] >= 0.95, times)
check("each alert has its receipt", {each["outcome"] for each in receipts("grouped")} == {"delivered"} and len({each["id"] for each in receipts("grouped")}) == 6)
for name in ("1", "bad", "3"):
    daemon.send(make_alert(1, id="a" * 13 + name.rjust(3, "0")), ["picky"])
wait_for(lambda: len(receipts("picky")) == 3, 10)
outcomes = {each["id"][-3:]: each["outcome"] for each in receipts("picky")}
check("one alert that is refused does not take the others with it", outcomes == {"001": "delivered", "bad": "dead", "003": "delivered"}, outcomes)

# limits
send("ok", make_alert(0x700, statement="x" * 300000, explanation="é" * 50000, matched="\\\"" * 30000))
wait_for(lambda: len(receipts("ok")) == 2)
big = posts("ok")[-1][2]
message = json.loads(big)
check("a body is at most 20 KB; what is cut is named", len(big) <= 20000 and set(message["data"]["alerts"][0]["cut"]) >= {"statement", "explanation", "matched"}
      and message["data"]["alerts"][0]["statement"].endswith("x…"), (len(big), message["data"]["alerts"][0].get("cut")))
for number in range(8):
    daemon.send(make_alert(0x800 + number, rule=f"r{number}"), ["slow"])
time.sleep(1.5)
rated = len(posts("slow"))
check("the rate holds: a tenth of a minute's worth at once, then one a second", 6 <= rated <= 8, rated)
wait_for(lambda: len(receipts("slow")) == 8, 6)
check("and all come in the end", len(receipts("slow")) == 8, len(receipts("slow")))

# resolved, unknown channels, bad frames
send("ok", make_alert(0x900, state="resolved", resolved=notifystage.rfc3339(time.time()), resolution="acknowledged: it was me"), revision=2)
wait_for(lambda: len(receipts("ok")) == 3)
message = json.loads(posts("ok")[-1][2])
check("a resolved alert is told as such, with its revision", message["type"] == "alert.resolved" and message["data"]["alerts"][0]["revision"] == 2, message)
daemon.send(make_alert(0x901), [("unheardof", 4, 0)])
mine = wait_for(lambda: receipts("unheardof"))
check("a channel that is not configured: given back as a failed try", mine and mine[0]["outcome"] == "retry" and mine[0]["attempts"] == 5, mine)
connections = len(daemon.hellos)
daemon.raw(b"\x02\0\0\0\xff\xff")
check("a malformed frame ends the connection, and a new one is made", wait_for(lambda: len(daemon.hellos) > connections), stage.log_text())

# the daemon goes away in the middle of a delivery
send("hang", make_alert(0xa00))
wait_for(lambda: [each for each in posts("hang") if b'"0000000000000a00"' in each[2]])
connections = len(daemon.hellos)
daemon.hang_up()
send_again = wait_for(lambda: len(daemon.hellos) > connections)
check("notify comes back after the daemon hung up", send_again, stage.log_text())
send("ok", make_alert(0xa01))
check("and delivers again", wait_for(lambda: [each for each in receipts("ok") if each["id"].endswith("a01")]))

# reload: a bad configuration changes nothing, a good one counts
text = open(stage.config, encoding="utf-8").read()
open(stage.config, "w", encoding="utf-8").write(text.replace("type: webhook", "type: wobhook", 1))
stage.process.send_signal(1)
check("a bad configuration is refused", wait_for(lambda: "wobhook" in stage.log_text()), stage.log_text()[-500:])
connections = len(daemon.hellos)
stage.configure(channel("fresh", f"{base}/fresh") + channel("gone", f"{base}/ok"))
stage.process.send_signal(1)
wait_for(lambda: len(daemon.hellos) > connections)
send("fresh", make_alert(0xb00))
check("a new channel works after a reload", (last("fresh") or {}).get("outcome") == "delivered", stage.log_text())
send("gone", make_alert(0xb01))
check("a reload lifts 410", wait_for(lambda: receipts("gone")[2:]) and receipts("gone")[-1]["outcome"] == "delivered", receipts("gone"))

# SIGTERM while a receiver hangs
stage.configure(channel("hang", f"{base}/hang").replace("timeout: 2s", "timeout: 60s"))
connections = len(daemon.hellos)
stage.process.send_signal(1)
wait_for(lambda: len(daemon.hellos) > connections)
count = len(receipts("hang"))
send("hang", make_alert(0xc00))
wait_for(lambda: [each for each in posts("hang") if b'"0000000000000c00"' in each[2]])
started = time.time()
status = stage.stop(15)
check("SIGTERM ends it within a few seconds, with status 0", status == 0 and time.time() - started < 8, (status, time.time() - started))
check("what was broken off is no failed try", len(receipts("hang")) == count, receipts("hang"))
check("no secret is in the log", base64.b64encode(new).decode() not in stage.log_text() and base64.b64encode(hmac_keys[0]).decode() not in stage.log_text())
assert printable("a") == "a"

# the service manager hears of it
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(os.path.join(work, "manager"))
manager.settimeout(5)
stage.start(NOTIFY_SOCKET=os.path.join(work, "manager"), WATCHDOG_USEC="400000")
heard = b""
until = time.time() + 5
while time.time() < until and heard.count(b"WATCHDOG=1") < 3:
    heard += manager.recv(4096) + b"\n"
stage.stop()
manager.settimeout(0.5)
try:
    while True:
        heard += manager.recv(4096) + b"\n"
except OSError:
    pass
check("the service manager hears that it is ready, alive and stopping", all(word in heard for word in (b"READY=1", b"WATCHDOG=1", b"STOPPING=1")), heard)

# --test
stage.configure(channel("ok", f"{base}/ok") + channel("refuse", f"{base}/refuse"))
status, text = stage.test("ok")
check("--test tells of success, status 0", status == 0 and "was delivered (HTTP 200" in text, (status, text))
message = json.loads(posts("ok")[-1][2])
check("the test alert says that it is one", message["type"] == "alert.test", message)
status, text = stage.test("refuse")
check("--test tells of a failure, status 2", status == 2 and "HTTP 400: <html>no such thing</html>" in text, (status, text))
status, text = stage.test("okk")
check("--test with an unknown channel: status 78 and a hint", status == 78 and 'did you mean "ok"' in text, (status, text))
end()
