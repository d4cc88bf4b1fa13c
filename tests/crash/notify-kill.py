#!/usr/bin/python3
"""Proves: querytrail-notify killed with SIGKILL 200 times while it delivers: every alert arrives at a webhook, at syslog and by resends, with
the same id and content each time, and none arrives that was not raised. notify-kill.py QUERYTRAIL_NOTIFY [KILLS] [SEED]"""
import http.server
import json
import os
import random
import re
import socketserver
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from notifystage import Notify, check, end, make_alert, wait_for  # noqa: E402

kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
chance = random.Random(seed)
print(f"# seed {seed}, {kills} kills")
hook, lines = [], []


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        try:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(body) < int(self.headers["Content-Length"]):
                return  # killed in the middle: nothing has come
            hook.append((self.headers["webhook-id"], body))
            time.sleep(chance.random() * 0.004)
            self.send_response(chance.choice((200, 200, 200, 503)))
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass


class Syslog(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            data = self.rfile.read()
        except OSError:
            return
        while data:
            length, _, rest = data.partition(b" ")
            if len(rest) < int(length):
                return
            lines.append(rest[:int(length)])
            data = rest[int(length):]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Hook)
syslog = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Syslog)
syslog.daemon_threads = True
for each in (server, syslog):
    threading.Thread(target=each.serve_forever, daemon=True).start()
common = "min_severity: informational\n    rate: 100000\n    retry_wait: 5ms\n    tries: 100\n"
stage = Notify(sys.argv[1], f"  hook:\n    type: webhook\n    url: http://127.0.0.1:{server.server_address[1]}/\n    group_wait: 0s\n    group_interval: 0s\n"
               f"    group_limit: 1\n    {common}  log:\n    type: syslog\n    host: 127.0.0.1\n    port: {syslog.server_address[1]}\n    tls: false\n    {common}")
daemon = stage.daemon
outbox = {}  # (id, channel): attempts, alert, due
sent = {}
seen_receipts = 0


def settle():
    """Takes the receipts there are into the outbox, as the daemon's commit does."""
    global seen_receipts
    with daemon.lock:
        receipts, seen_receipts = daemon.receipts[seen_receipts:], len(daemon.receipts)
    for receipt in receipts:
        key = (receipt["id"], receipt["channel"])
        if receipt["outcome"] == "retry" and key in outbox:
            outbox[key] = (receipt["attempts"], outbox[key][1], receipt["next"])
            in_hand.discard(key)
        elif receipt["outcome"] == "delivered":
            outbox.pop(key, None)


def hand_out():
    """Sends what is due and not in notify's hands; a connection that breaks is the kill."""
    try:
        for key, (attempts, alert, due) in list(outbox.items()):
            if key not in in_hand and due <= time.time():
                in_hand.add(key)
                daemon.send(alert, [(key[1], attempts, 0)])
    except (OSError, AttributeError):
        pass


number = 0
started = time.monotonic()
for kill in range(kills):
    for _ in range(chance.randrange(1, 6)):
        number += 1
        alert = make_alert(number, user=f"user{number}", statement=f"DELETE FROM t{number}")
        sent[alert["id"]] = alert
        for channel in ("hook", "log"):
            outbox[(alert["id"], channel)] = (0, alert, 0)
    in_hand = set()
    before = len(daemon.hellos)
    stage.start()
    wait_for(lambda: len(daemon.hellos) > before)
    until = time.monotonic() + chance.random() * 0.05
    while time.monotonic() < until:
        settle()
        hand_out()
        time.sleep(0.002)
    stage.kill()
    wait_for(lambda: daemon.connection is None, 2)
    settle()
in_hand = set()
stage.start()
wait_for(lambda: settle() or hand_out() or not outbox, 30)
check("every alert has its receipts in the end", not outbox, list(outbox)[:5])
status = stage.stop()
check("SIGTERM ends it with status 0", status == 0, status)
bodies, ids, repeats = {}, {}, 0
for identity, body in hook:
    alert = json.loads(body)["data"]["alerts"][0]
    repeats += alert["id"] in ids
    ids.setdefault(alert["id"], set()).add(identity)
    bodies.setdefault(alert["id"], set()).add(body)
check("the webhook has every alert, and no other", set(ids) == set(sent), set(sent) ^ set(ids))
check("the id of each is the same each time, and no two share one", all(len(each) == 1 for each in ids.values())
      and len({identity for each in ids.values() for identity in each}) == len(ids), [each for each in ids.items() if len(each[1]) > 1][:3])
check("the content is what was raised, the same each time", all(len(each) == 1 for each in bodies.values())
      and all(json.loads(next(iter(each)))["data"]["alerts"][0]["statement"] == sent[key]["statement"] for key, each in bodies.items()))
logged = [re.search(rb' id="([0-9a-f]{16})"', line)[1].decode() for line in lines]
check("syslog has every alert, and no other", set(logged) == set(sent), set(sent) ^ set(logged))
print(f"# {len(sent)} alerts, {len(hook)} webhook messages ({repeats} again), {len(lines)} syslog messages, {time.monotonic() - started:.1f} s")
end()
