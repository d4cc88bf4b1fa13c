#!/usr/bin/python3
"""Proves: querytraild raises alerts by its rules, hands them to the one notify that is connected until it has their receipts, through
kill -9, lost receipts, reload and acknowledgement. The notify is scripted here. alerts-daemon.py BUILD"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from notifystage import (ALERT, DEAD, DELIVERED, ERROR, FIELDS, HELLO, RECEIPT, RETRY, WELCOME, Reader, block, check, children, end,
                         varint, wait_for, work)

build = os.path.abspath(sys.argv[1])
log = open(work + "/log", "ab")
env = {**os.environ, "QUERYTRAIL_CONFIG": work + "/q.yaml"}
RULE = """title: {title}
id: {name}
level: high
logsource: {{product: mssql, service: audit}}
detection: {{s: {{statement|contains: {word}}}, condition: s}}
querytrail: {{explanation: Tables go., next_steps: Ask.}}
"""


def write(name, text):
    path = os.path.join(work, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def start(name, *arguments):
    process = subprocess.Popen([os.path.join(build, name), "--config", work + "/q.yaml", *arguments], stderr=log, stdout=log, env=env)
    children.append(process)
    return process


def start_daemon():
    daemon = start("correlator/querytraild")
    assert wait_for(lambda: os.path.exists(work + "/run/feed.sock") and said("are bad of those configured") > start_daemon.before)
    start_daemon.before = said("are bad of those configured")
    return daemon


start_daemon.before = 0


def said(text):
    with open(work + "/log", encoding="utf-8", errors="replace") as seen:
        return seen.read().count(text)


def run(*words, store=True):
    """The command line: exit status, stdout, stderr."""
    done = subprocess.run([os.path.join(build, "query/querytrail"), *words, *(["--store", work + "/store"] if store else [])],
                          capture_output=True, text=True, check=False, env=env)
    return done.returncode, done.stdout, done.stderr


def alerts():
    out = run("alerts", "--json")[1]
    return {each["statement"]: each for each in json.loads(out)["alerts"]} if out else {}


def statement(text):
    """One audit row at the end of the file that is followed."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{statement.number:07d}Z"
    statement.number += 1
    row = {"event_time": now, "action_id": "BCM", "succeeded": 1, "session_id": 60, "server_instance_name": "S", "database_name": "d",
           "server_principal_name": "p", "statement": text, "sequence_number": 1}
    with open(work + "/audit.jsonl", "a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def collect():
    """Everything that stands in the file goes to the daemon; what it has already adds nothing."""
    start("collector/querytrail-collect", "sql").wait(20)


statement.number = 1


class Notify:
    """querytrail-notify's side of feed.sock."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(8)
        self.socket.connect(work + "/run/feed.sock")
        self.send(struct.pack("<BI", HELLO, 1) + block("querytrail-notify") + block("notify") + block("notify") + struct.pack("<I", 0))
        self.first = self.frame()[0]

    def send(self, body):
        self.socket.sendall(struct.pack("<I", len(body)) + body)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def frame(self):
        return self.exactly(struct.unpack("<I", self.exactly(4))[0])

    def alert(self, seconds=8.0):
        """The next ALERT: fields, revision, {channel: attempts}; None when none comes."""
        self.socket.settimeout(seconds)
        try:
            reader = Reader(self.frame())
        except (TimeoutError, socket.timeout):
            return None
        assert reader.take(1)[0] == ALERT
        revision = reader.number("Q")
        inner = Reader(reader.block())
        fields = {}
        while (number := inner.take(1)[0]) != 0:
            fields[FIELDS[number - 1]] = inner.block().decode("utf-8", "replace")
        channels = {}
        for _ in range(reader.varint()):
            name = reader.block().decode()
            channels[name] = reader.number("I")
            reader.number("q")
        return fields, revision, channels

    def receipt(self, alert, channel, outcome, attempts=0, wait=0.0, revision=None):
        due = int((time.time() + wait) * 1e9)
        self.send(struct.pack("<BQ", RECEIPT, alert[1] if revision is None else revision) + block(alert[0]["id"]) + varint(1) +
                  block(channel) + struct.pack("<IqB", attempts, due, outcome) + block("it said no"))

    def close(self):
        self.socket.close()


def set_up():
    write("rules/drop.yml", RULE.format(title="Table Dropped", name="drop", word="DROP"))
    statement("SELECT 0")
    write("q.yaml", f"""store: {work}/store
runtime: {work}/run
rules: {{folders: [{work}/rules]}}
alerts: {{hold: 300ms}}
sources:
  sql: {{type: file, files: [{work}/audit.jsonl], content: audit-rows, from_start: true}}
channels:
  mail: {{type: syslog, host: localhost}}
  pager: {{type: webhook, url: 'http://127.0.0.1:1/', min_severity: critical}}
""")


def first_alert():
    notify = Notify()
    check("notify is welcomed", notify.first == WELCOME)
    statement("SELECT 1")
    statement("DROP TABLE a")
    collect()
    got = notify.alert()
    check("an alert comes with its statement and the one channel that takes it", got is not None and
          got[0]["statement"] == "DROP TABLE a" and got[0]["explanation"] == "Tables go." and got[0]["state"] == "firing" and
          got[2] == {"mail": 0}, got)
    second = Notify()
    check("a second notify is refused", second.first == ERROR)
    second.close()
    return notify, got


def receipts_and_kills(daemon, notify, got):
    daemon.kill()  # before the receipt
    daemon.wait()
    notify.close()
    daemon = start_daemon()
    notify = Notify()
    again = notify.alert()
    check("without a receipt it comes again after kill -9, with the same id", again is not None and again[0]["id"] == got[0]["id"]
          and again[2] == {"mail": 0}, again)
    notify.receipt(again, "mail", RETRY, attempts=3, wait=0.5)
    before = time.monotonic()
    third = notify.alert()
    check("RETRY gives it back until it is due, with its attempts", third is not None and third[2] == {"mail": 3} and
          time.monotonic() - before > 0.4, third)
    notify.receipt(third, "none", DELIVERED)
    notify.receipt(third, "mail", DELIVERED, revision=77)
    notify.close()
    notify = Notify()
    check("receipts for nothing and of other revisions change nothing", (fourth := notify.alert()) and fourth[2] == {"mail": 3}, fourth)
    notify.receipt(fourth, "mail", DELIVERED)
    wait_for(lambda: json.loads(run("status", "--json")[1])["deliveries_waiting"] == 0)
    daemon.kill()
    daemon.wait()
    notify.close()
    daemon = start_daemon()
    notify = Notify()
    known = notify.alert()
    check("what was delivered and fires comes once a connection, without a delivery", known is not None and
          known[0]["id"] == got[0]["id"] and known[2] == {}, known)
    check("and nothing else", notify.alert(1.5) is None)
    check("one alert is listed, unharmed by all of that", len(alerts()) == 1 and said("receipt for a delivery") == 1, alerts())
    return daemon, notify


def reloads(daemon, notify):
    write("rules/bad.yml", "title: bad\nid: bad\nlogsource: {product: mssql}\ndetection: {s: {no_such_field: x}, condition: s}\n")
    write("rules/more.yml", RULE.format(title="Table Truncated", name="truncate", word="TRUNCATE"))
    daemon.send_signal(signal.SIGHUP)
    check("a reload with a bad rule is refused, with its place", wait_for(lambda: said("stays as it was: 1 rule is bad") == 1) and
          said("bad.yml:") >= 1)
    statement("TRUNCATE TABLE b")
    statement("DROP TABLE c")
    collect()
    got = notify.alert()
    check("the old rules go on", got is not None and got[0]["statement"] == "DROP TABLE c", got)
    notify.receipt(got, "mail", DEAD, attempts=12)
    os.unlink(work + "/rules/bad.yml")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: said("the configuration was read again") == 1)
    check("what came before a rule is not alerted", notify.alert(1.0) is None)
    statement("TRUNCATE TABLE d")
    collect()
    got = notify.alert()
    check("a rule that is new fires for what comes", got is not None and got[0]["rule"] == "truncate" and
          got[0]["statement"] == "TRUNCATE TABLE d", got)
    notify.receipt(got, "mail", DELIVERED)
    return got


def orders(daemon, notify, got):
    code, out, err = run("alerts", "failed")
    check("a dead letter is listed with what was said", code == 0 and "12 failed" in out and "it said no" in out, (code, out, err))
    code, out, err = run("alerts", "replay", "--dead")
    again = notify.alert()
    check("and replayed", code == 0 and again is not None and again[0]["statement"] == "DROP TABLE c" and again[2] == {"mail": 0},
          (code, err, again))
    notify.receipt(again, "mail", DELIVERED)
    check("an acknowledgement needs a note", run("alerts", "ack", got[0]["id"])[0] == 2)
    code, out, err = run("alerts", "ack", got[0]["id"][:9], "--note", "agreed \x1b[31m")
    ended = notify.alert()
    check("and ends the alert for the channels too", code == 0 and ended is not None and ended[0]["state"] == "resolved" and
          "agreed" in ended[0]["resolution"] and ended[1] == 2 and ended[2] == {"mail": 0}, (code, out, err, ended))
    notify.receipt(ended, "mail", DELIVERED)
    serve = start("query/querytrail-serve")
    assert wait_for(lambda: os.path.exists(work + "/run/query.sock"))
    first = alerts()["DROP TABLE a"]["id"]
    code, out, err = run("alerts", "ack", first, "--note", "by way of serve", store=False)
    check("through querytrail-serve likewise, by the name of the peer", code == 0 and
          alerts()["DROP TABLE a"].get("note") == "by way of serve" and alerts()["DROP TABLE a"].get("acknowledged_by"),
          (code, out, err))
    code, out, err = run("alerts", "test", "mail", store=False)
    check("a channel is not tested through serve, but by the program beside", "querytrail-serve" not in err, err)
    notify.alert()
    notify.close()
    serve.terminate()
    daemon.terminate()
    check("the daemon ends in order", daemon.wait(10) == 0)
    code, out, err = run("alerts", "ack", alerts()["DROP TABLE c"]["id"], "--note", "nobody runs")
    check("without a daemon one is started for the order", code == 0 and alerts()["DROP TABLE c"]["disposition"] == "acknowledged",
          (code, out, err))


def unreadable_rules():
    """Without its folder no rule runs, which is said; what came meanwhile is looked at when it is back."""
    os.rename(work + "/rules", work + "/away")
    daemon = start("correlator/querytraild")
    check("a folder of rules that is gone is told, and the daemon runs", wait_for(lambda: said("no rule runs") == 1 and
          os.path.exists(work + "/run/feed.sock")))
    statement("DROP TABLE late")
    collect()
    stored = wait_for(lambda: "DROP TABLE late" in run("who")[1])
    daemon.terminate()
    daemon.wait(10)
    check("nothing is alerted then", stored and "DROP TABLE late" not in alerts())
    os.rename(work + "/away", work + "/rules")
    daemon = start_daemon()
    check("what came meanwhile is, once the rules are back", wait_for(lambda: "DROP TABLE late" in alerts()))
    figures = run("status")[1]
    check("status says how many rules run", "2 loaded, 0 bad, 0 idle" in figures, figures)
    daemon.terminate()
    daemon.wait(10)


def main():
    set_up()
    daemon = start_daemon()
    notify, got = first_alert()
    daemon, notify = receipts_and_kills(daemon, notify, got)
    truncated = reloads(daemon, notify)
    orders(daemon, notify, truncated)
    unreadable_rules()
    if os.environ.get("KEEP_LOG"):
        with open(work + "/log", encoding="utf-8", errors="replace") as seen:
            print(seen.read())
    end()


main()
