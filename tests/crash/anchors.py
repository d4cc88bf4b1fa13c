#!/usr/bin/env python3
"""querytraild, querytrail-notify and querytrail-witness are killed at any moment while checkpoints go out: no anchor ever sees a second history, none is falsely
told, and in the end each has all.

usage: anchors.py BUILD_FOLDER [KILLS]
"""
import base64
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import logstage
import notifystage
from notifystage import check, end, wait_for

BUILD, KILLS, work = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40, notifystage.work
DAEMON = os.path.join(BUILD, "correlator", "querytraild")
NOTIFY = os.path.join(BUILD, "correlator", "notify", "querytrail-notify")
WITNESS = os.path.join(BUILD, "witness", "querytrail-witness")
STORE, RUN, FOLDER, CONFIG = (os.path.join(work, name) for name in ("store", "run", "folder", "querytrail.yaml"))
random.seed(17)
os.makedirs(FOLDER)
log = open(os.path.join(work, "programs.log"), "a", encoding="utf-8")


def start(*arguments):
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)
    notifystage.children.append(child)
    return child


def ask(sql):
    try:
        with sqlite3.connect(f"file:{STORE}/catalog.db?mode=ro", uri=True, timeout=5) as catalog:
            return catalog.execute(sql).fetchall()
    except sqlite3.Error:
        return []


def last():
    rows = ask("SELECT size FROM checkpoints ORDER BY id DESC LIMIT 1")
    return rows[0][0] if rows else 0


def write_config(witness):
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(f"store: {STORE}\nruntime: {RUN}\nlog: {{interval: 100ms}}\n")
        if witness:
            file.write(f"anchors:\n  w1: {{type: witness, url: 'http://127.0.0.1:{witness}', key: '{vkey}', interval: 100ms}}\n"
                       f"  dir: {{type: file, folder: {FOLDER}, interval: 100ms}}\n")


vkey = subprocess.run([WITNESS, "--make-key", "witness.example/w1", os.path.join(work, "key")], capture_output=True, text=True,
                      check=True).stdout.strip()
write_config(None)
daemon = start(DAEMON, "--config", CONFIG)
wait_for(last)
daemon.terminate()
daemon.wait()
with open(os.path.join(STORE, "log.key"), encoding="utf-8") as file:
    parts = file.read().strip().split("+", 4)
log_key = logstage.Key(work, parts[2], seed=base64.b64decode(parts[4])[1:])


def start_witness(port):
    for _ in range(50): # the system may hold the port for a moment
        child = start(WITNESS, "--key", os.path.join(work, "key"), "--state", os.path.join(work, "state"), "--listen", f"127.0.0.1:{port}",
                      "--log", log_key.vkey)
        line = child.stdout.readline().split()
        if line:
            return child, int(line[1])
        time.sleep(0.1)
    return child, 0


witness, port = start_witness(0)
write_config(port)


def start_daemon():
    return start(DAEMON, "--config", CONFIG)


def start_notify():
    return start(NOTIFY, "--config", CONFIG)


daemon, notify = start_daemon(), start_notify()
wait_for(lambda: os.path.exists(os.path.join(FOLDER, "latest")))
ended = []
for number in range(KILLS):
    time.sleep(random.random() * 0.25)
    if os.path.exists(os.path.join(RUN, "feed.sock")) and daemon.poll() is None and random.random() < 0.7 and number > 0:
        daemon.send_signal(signal.SIGHUP) # one record more; before the loop runs it is one more kill
        time.sleep(random.random() * 0.15)
    victims = random.sample(["daemon", "notify", "witness"], random.choice([1, 1, 2, 3]))
    if daemon.poll() not in (None, -signal.SIGHUP):
        ended.append(daemon.returncode)
    if "daemon" in victims or daemon.poll() is not None:
        daemon.kill()
        daemon.wait()
        daemon = start_daemon()
    if "notify" in victims or notify.poll() is not None:
        notify.kill()
        notify.wait()
        notify = start_notify()
    if "witness" in victims:
        witness.kill()
        witness.wait()
        witness, _ = start_witness(port)
check(f"killed {KILLS} times, the daemon never ends by itself", not ended, ended)


def all_there():
    size = last()
    return size > 0 and ask(f"SELECT count(*) FROM anchors WHERE taken_size = {size}") == [(2,)]


check("in the end each anchor has all", wait_for(all_there, 40), (last(), ask("SELECT * FROM anchors")))
check("nothing was refused", ask("SELECT value FROM meta WHERE key = 'log.refused'") == [], ask("SELECT value FROM meta WHERE key = 'log.refused'"))
notes = dict(ask("SELECT size, note FROM checkpoints"))
files = [name for name in os.listdir(FOLDER) if name.endswith(".checkpoint")]
different = []
for name in files:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        if notes.get(int(name.split(".")[0])) != file.read():
            different.append(name)
check("every file in the folder is a checkpoint that the store still knows", files and not different, different)
receipts = ask("SELECT size, bytes FROM receipts WHERE anchor = 'w1'")
check("every cosignature is of the checkpoint of its size", receipts and all(
    logstage.verify_cosignature(vkey, notes[size], line.decode(), work) for size, line in receipts), receipts)
log.flush()
with open(os.path.join(work, "programs.log"), encoding="utf-8") as file:
    said = file.read()
check("the witness was never shown another tree", "witness-refused" not in said and "does not extend" not in said, said[-2000:])
daemon.terminate()
daemon.wait()
notify.terminate()
notify.wait()
shutil.rmtree(STORE)
end()
