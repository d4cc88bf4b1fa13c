#!/usr/bin/python3
"""Proves: rsyslog takes our messages over TCP and TLS and reads back the fields that were sent; CEF parses; receivers that are away, hang
or break off are told. notify-syslog.py QUERYTRAIL_NOTIFY"""
import json
import os
import re
import shutil
import socket
import struct
import sys
import threading
import time

from notifystage import FIELDS, Notify, certificates, check, end, free_port, make_alert, skip_all, spawn, wait_for, work, write

program = sys.argv[1]
server = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin")
if server is None or not os.path.exists("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so") and not any(
        "lmnsd_ossl.so" in names for _, _, names in os.walk("/usr/lib/")):
    skip_all("rsyslog with rsyslog-openssl is not installed")
files = certificates()
tcp, tls, wrong, mutual = free_port(), free_port(), free_port(), free_port()
out = os.path.join(work, "received.jsonl")
driver = ('StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon" StreamDriver.CAFile="%s" '
          'StreamDriver.CertFile="%s" StreamDriver.KeyFile="%s"')
write("rsyslog.conf", f"""
global(workDirectory="{work}" maxMessageSize="128k" parser.escapeControlCharactersOnReceive="on" net.enableDNS="off")
module(load="imtcp")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="pri" name="pri" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="procid" name="procid" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="sd" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
  property(outname="port" name="inputname" format="jsonf")
}}
ruleset(name="file") {{ action(type="omfile" file="{out}" template="json" flushOnTXEnd="on") }}
input(type="imtcp" address="127.0.0.1" port="{tcp}" name="tcp" ruleset="file")
input(type="imtcp" address="127.0.0.1" port="{tls}" name="tls" ruleset="file" {driver % (files["ca.pem"], files["good.pem"], files["good.key"])})
input(type="imtcp" address="127.0.0.1" port="{mutual}" name="mutual" ruleset="file"
  {(driver % (files["ca.pem"], files["good.pem"], files["good.key"])).replace("anon", "x509/certvalid")})
input(type="imtcp" address="127.0.0.1" port="{wrong}" name="wrong" ruleset="file" {driver % (files["ca.pem"], files["wrong.pem"], files["wrong.key"])})
""")
spawn([server, "-n", "-f", f"{work}/rsyslog.conf", "-i", f"{work}/rsyslog.pid"])


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if not wait_for(lambda: listens(tcp) and listens(tls), 10):
    print(open(os.path.join(work, "rsyslogd.log"), encoding="utf-8").read(), file=sys.stderr)
    check("rsyslog starts", False)
    end()


def channel(name, port, more=""):
    return (f"  {name}:\n    type: syslog\n    host: 127.0.0.1\n    port: {port}\n    min_severity: informational\n    timeout: 2s\n"
            f"    retry_wait: 10s\n    rate: 100000\n    ca_file: {files['ca.pem']}\n{more}")


# receivers that misbehave
reset = socket.socket()
reset.bind(("127.0.0.1", 0))
reset.listen()
deaf = socket.socket()
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
deaf.bind(("127.0.0.1", 0))
deaf.listen()
held = []


def break_off():
    while True:
        connection, _ = reset.accept()
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def hold():
    while True:
        held.append(deaf.accept())


for each in (break_off, hold):
    threading.Thread(target=each, daemon=True).start()

plain = "    tls: false\n"
stage = Notify(program, channel("tcp", tcp, plain) + channel("tls", tls) + channel("cef", tcp, plain + "    content: cef\n    facility: 16\n")
               + channel("wrong", wrong) + channel("unknownca", tls).replace(files["ca.pem"], files["other-ca.pem"])
               + channel("away", 1, plain) + channel("reset", reset.getsockname()[1], plain) + channel("deaf", deaf.getsockname()[1], plain)
               + channel("mutual", mutual, f"    certificate_file: {files['wrong.pem']}\n    key_file: {files['wrong.key']}\n")
               + channel("nocertificate", mutual)
               + channel("notls", tcp) + channel("local", tls).replace("127.0.0.1", "localhost")).start()
daemon = stage.daemon


def received():
    if not os.path.exists(out):
        return []
    with open(out, encoding="utf-8", errors="replace") as lines:
        return [json.loads(line) for line in lines.read().split("\n")[:-1]]


def deliver(name, alert, revision=1):
    """The receipt, and what rsyslog has more than before."""
    daemon.clear()
    before = len(received())
    daemon.send(alert, [name], revision)
    receipts = daemon.await_receipts(1)
    if receipts and receipts[0]["outcome"] == "delivered":
        wait_for(lambda: len(received()) > before)
    return (receipts or [None])[0], received()[before:]


def structured(text):
    """RFC 5424 section 6.3, read by its grammar."""
    match = re.fullmatch(r'\[([^ =\]"]+)((?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\.)*")*)\]', text, re.S)
    pairs = re.findall(r' ([^ =\]"]+)="((?:[^"\\\]]|\\.)*)"', match[2], re.S)
    return match[1], {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in pairs}


def cef(text):
    """A CEF message: the header's seven fields, and the extension by its keys."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7) if "\\" not in text else []
    if not parts:
        parts, part, i = [], "", 0
        while len(parts) < 7:
            if text[i] == "\\":
                part += text[i + 1]
                i += 2
                continue
            if text[i] == "|":
                parts.append(part)
                part = ""
            else:
                part += text[i]
            i += 1
        parts.append(text[i:])
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", parts[7]))
    pairs = {}
    for index, key in enumerate(keys):
        stop = keys[index + 1].start() if index + 1 < len(keys) else len(parts[7])
        pairs[key[1]] = re.sub(r"\\(.)", r"\1", parts[7][key.end():stop])
    return parts[:7], pairs


HEADLINE = "xp_cmdshell was run: alice ran EXECUTE on master.xp_cmdshell through POST /jobs"
for name in ("tcp", "tls", "local"):
    alert = make_alert(1, statement='SELECT "a" FROM [dbo].[T]\n WHERE x = \'\\\' -- é', severity="critical")
    receipt, lines = deliver(name, alert)
    check(f"{name}: taken, one message", receipt["outcome"] == "delivered" and len(lines) == 1, (receipt, lines))
    line = lines[0]
    check(f"{name}: header", (line["app"], line["procid"], line["msgid"], line["pri"]) == ("querytrail", "-", "alert-firing", str(13 * 8 + 2))
          and line["host"] == socket.gethostname() and line["time"][:23] == alert["fired"][:23], line)
    element, pairs = structured(line["sd"])
    expected = {key: value.replace("\n", "\\n") for key, value in alert.items()}
    check(f"{name}: structured data has every field", element == "querytrail@32473" and pairs == {**expected, "revision": "1"}, (pairs, expected))
    check(f"{name}: the message is the headline", line["msg"].lstrip("\ufeff") == HEADLINE, line["msg"])
receipt, lines = deliver("mutual", make_alert(0x40))
check("a receiver that asks for our certificate gets it", receipt["outcome"] == "delivered" and len(lines) == 1, (receipt, lines))
check("the fields are those of model/alert.def", set(pairs) <= set(FIELDS) | {"revision"})

pris = [deliver("tcp", make_alert(2, severity=word))[1][0]["pri"] for word in ("critical", "high", "medium", "low", "informational", "odd")]
check("severities", pris == [str(104 + each) for each in (2, 3, 4, 5, 6, 6)], pris)
_, lines = deliver("tcp", make_alert(3, state="resolved", resolved="2026-11-22T10:00:00.500Z"))
check("a resolved alert has its own MSGID and time", lines[0]["msgid"] == "alert-resolved" and lines[0]["time"].startswith("2026-11-22T10:00:00.5"), lines)

receipt, lines = deliver("cef", make_alert(4, rule="a|b\\c", title="t|i", user="x=y\\z msg=forged", statement="a=b\nc|d"))
header, pairs = cef(lines[0]["msg"].lstrip("\ufeff"))
check("CEF: header", header == ["CEF:0", "querytrail", "querytrail", "1", "a|b\\c", "t|i", "8"] and lines[0]["pri"] == str(16 * 8 + 3), (header, lines))
check("CEF: extension", pairs["suser"] == "x=y\\z msg=forged" and pairs["cs1"] == "a=b\\nc|d" and pairs["cs1Label"] == "statement" and pairs["src"] == "203.0.113.9"
      and pairs["externalId"] == "0000000000000004" and pairs["outcome"] == "success" and pairs["act"] == "EXECUTE", pairs)

for name, value in (("statement", "x\n<13>1 2026-01-01T00:00:00Z h a - - - forged"), ("user", 'u"]\n[evil@1 a="b"]'), ("title", "t\0\x1b[31m\u202e\r\n"), ("rule", "a" * 60000)):
    for kind in ("tcp", "cef"):
        receipt, lines = deliver(kind, make_alert(5, **{name: value}))
        check(f"{kind}: a hostile {name} makes one message, without control bytes", len(lines) == 1 and lines[0]["app"] == "querytrail"
              and not [each for each in lines[0]["sd"] + lines[0]["msg"] if ord(each) < 32 or ord(each) == 0x202e], lines)

for name, words in (("wrong", "certificate"), ("unknownca", "certificate"), ("away", ""), ("reset", ""), ("nocertificate", ""), ("notls", "")):
    receipt, lines = deliver(name, make_alert(6))
    check(f"{name}: not delivered, tried again, said why", receipt["outcome"] == "retry" and words in receipt["text"]
          and not [each for each in lines if each["app"] == "querytrail"], (receipt, lines))
started = time.time()
big = "x" * 2000
daemon.clear()
for number in range(100):
    daemon.send(make_alert(0x100 + number, **{name: big for name in FIELDS if name not in ("id", "state", "severity", "time", "fired")}), ["deaf"])
receipts = daemon.await_receipts(100, 8)
check("a receiver that does not read is given up in time", {each["outcome"] for each in receipts[1:]} == {"retry"} and time.time() - started < 7, receipts[:3])

daemon.clear()
before = len(received())
for number in range(1000):
    daemon.send(make_alert(0x1000 + number), ["tls" if number % 2 else "tcp"])
receipts = daemon.await_receipts(1000, 20)
wait_for(lambda: len(received()) == before + 1000)
ids = {structured(line["sd"])[1]["id"] for line in received()[before:]}
check("1000 alerts at once arrive, each once", {each["outcome"] for each in receipts} == {"delivered"} and len(ids) == 1000 == len(received()) - before,
      (len(receipts), len(ids), len(received()) - before))
status, text = stage.test("tls")
check("--test", status == 0 and wait_for(lambda: received()[-1]["msgid"] == "alert-test"), (status, text))
status, text = stage.test("away")
check("--test of a receiver that is away: status 2, in words", status == 2 and "was not delivered" in text, (status, text))
check("SIGTERM ends it with status 0", stage.stop() == 0)
end()
