#!/usr/bin/python3
"""Proves: with querytraild and querytrail-notify killed -9 again and again while traffic flows, every alert is delivered at least once, ids
are stable, and none is invented. alerts.py BUILD SECONDS SEED"""
import atexit
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

build, seconds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
folder = tempfile.mkdtemp(prefix="crash-alerts-")
delivered = {}  # alert id to the set of (rule, title, statement id or request id)
states = {}     # alert id to the states that were told
lock = threading.Lock()
running = []
kills = {"daemon": 0, "notify": 0}
failures = 0
number = 0


def check(name, good, seen=""):
    global failures, number
    number += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    if not good:
        print("# " + str(seen)[:1500].replace("\n", "\n# "), flush=True)


def finish():
    for process in running:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
    if failures == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print("# kept: " + folder)


atexit.register(finish)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes alerts, and now and then fails before or after it has taken them."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            fate = chance.random()
            if fate >= 0.1:
                for alert in body["data"]["alerts"]:
                    what = (alert["rule"], alert["title"], alert.get("statement_id"), alert["time"])
                    delivered.setdefault(alert["id"], set()).add(what)
                    states.setdefault(alert["id"], []).append(alert["state"])
        try:
            self.send_response(500 if fate < 0.2 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass  # it was killed meanwhile

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass


def program(name):
    return os.path.join(build, name)


def start(arguments, log, **more):
    process = subprocess.Popen(arguments, stdout=more.pop("stdout", log), stderr=log, stdin=subprocess.PIPE, **more)
    running.append(process)
    return process


def start_daemon(log):
    return start([program("correlator/querytraild"), "--spawn", "--config", folder + "/company/querytrail.yaml", "--store",
                  folder + "/store", "--runtime", folder + "/run"], log)


def children(pid):
    """The daemon's children by the name of their program."""
    found = {}
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
            pids = [int(each) for each in listed.read().split()]
    except OSError:
        return found
    for child in pids:
        try:
            with open(f"/proc/{child}/comm", encoding="ascii") as name:
                found[name.read().strip()] = child
        except OSError:
            pass
    return found


def ask(*words):
    done = subprocess.run([program("query/querytrail"), *words, "--store", folder + "/store"], capture_output=True, check=False,
                          env={**os.environ, "QUERYTRAIL_CONFIG": "/nonexistent"})
    return json.loads(done.stdout) if done.stdout else {}


def set_up(log):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    company = start([program("tests/sim/querytrail-sim"), "--seed", str(seed), "--requests", "2500", "--live", f"{seconds}s",
                     "--dir", folder + "/company"], log, stdout=subprocess.PIPE)
    company.stdout.readline()
    with open(folder + "/company/querytrail.yaml", "a", encoding="utf-8") as config:
        config.write(f"channels:\n  hook:\n    type: webhook\n    min_severity: informational\n    rate: 60000\n"
                     f"    retry_wait: 100ms\n    retry_max: 300ms\n    tries: 100\n    group_wait: 0s\n    group_interval: 0s\n"
                     f"    group_limit: 5\n    url: http://127.0.0.1:{server.server_port}/\n"
                     "alerts:\n  hold: 500ms\n")


def kill_one(daemon, log):
    """Kills notify or the daemon; a daemon is started again at once. Returns the daemon."""
    if chance.random() < 0.5:
        notify = children(daemon.pid).get("querytrail-noti")
        if notify:
            os.kill(notify, signal.SIGKILL)
            kills["notify"] += 1
        return daemon
    daemon.kill()
    daemon.wait()
    kills["daemon"] += 1
    return start_daemon(log)


def settle(limit):
    """Waits until nothing waits any more and nothing new comes."""
    until = time.monotonic() + limit
    quiet = 0
    last = None
    while time.monotonic() < until and quiet < 8:
        figures = ask("status", "--json")
        now = (figures.get("alerts_firing"), figures.get("deliveries_waiting"), figures.get("records"))
        quiet = quiet + 1 if now == last and figures.get("deliveries_waiting") == 0 else 0
        last = now
        time.sleep(0.25)
    return quiet >= 8, last


def main():
    print("1..6")
    with open(folder + "/log", "wb") as log:
        set_up(log)
        daemon = start_daemon(log)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.02 + chance.random() * 0.11)
            daemon = kill_one(daemon, log)
        good, last = settle(90)
        check("all deliveries are made once the killing ends", good, last)
        daemon.terminate()
        check("the daemon ends cleanly after all of it", daemon.wait(30) == 0)
    alerts = ask("alerts", "--json")["alerts"]
    told = [alert for alert in alerts if alert["quiet"] == "false"]
    print(f"# killed: the daemon {kills['daemon']} times, notify {kills['notify']} times; {len(alerts)} alerts, "
          f"{sum(len(each) for each in states.values())} deliveries of {len(delivered)}")
    with lock:
        ids = {alert["id"] for alert in alerts}
        # one that was revoked before it was sent need not be told
        missing = [alert["id"] for alert in told if alert["id"] not in delivered and alert["disposition"] != "revoked"]
        check("every alert was delivered", not missing and len(told) > 5, (missing, len(told)))
        check("none was invented", set(delivered) <= ids, set(delivered) - ids)
        check("an id always means the same alert", all(len(each) == 1 for each in delivered.values()),
              [each for each in delivered.values() if len(each) != 1][:3])
        same = {(alert["rule"], alert.get("statement_id"), alert.get("request_id"), alert["time"]) for alert in alerts
                if alert.get("statement_id")}
        whole = sum(1 for alert in alerts if alert.get("statement_id"))
        check("no statement has two alerts of one rule", len(same) == whole, (len(same), whole))
    sys.exit(failures != 0)


main()
