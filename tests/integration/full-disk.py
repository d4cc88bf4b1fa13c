#!/usr/bin/python3
"""Proves: on a full disk the daemon pauses without loss, questions are answered, status and log say since when, no gap is invented, and with room it goes on by
itself and everything is there once, byte for byte. Needs a small tmpfs in a mount namespace of its own; skips where there is none. full-disk.py BUILD"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
if len(sys.argv) == 2:
    able = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if able.returncode != 0:
        print("1..0 # SKIP no tmpfs can be mounted here")
        sys.exit(0)
    os.execvp("unshare", ["unshare", "-rm", sys.executable, os.path.abspath(sys.argv[0]), build, "inside"])

work = tempfile.mkdtemp(prefix="querytrail-full-")
disk = work + "/disk"
os.mkdir(disk)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=0755", "none", disk], check=True)
env = {**os.environ, "HOME": work, "QUERYTRAIL_CONFIG": work + "/c.yaml"}
env.pop("QUERYTRAIL_STORE", None)
numbers = {"test": 0, "failed": 0}


def check(good, what, why=""):
    numbers["test"] += 1
    numbers["failed"] += 0 if good else 1
    print(("ok" if good else "not ok"), numbers["test"], "-", what)
    if not good and why:
        print("# " + str(why)[-2000:].replace("\n", "\n# "))
    sys.stdout.flush()


def run(*words):
    return subprocess.run([build + "/query/querytrail", *words, "--store", disk + "/store"], capture_output=True, check=False, env=env, timeout=60)


def wait_for(what, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


def said():
    with open(work + "/log", encoding="utf-8", errors="replace") as seen:
        return seen.read()


def status():
    return json.loads(run("status", "--json").stdout)


def lines(first, last):
    return "".join(json.dumps({"requestId": f"r-{i}", "requestTimeEpoch": str(1795305600000 + i), "routeKey": "GET /a", "status": "200",
                               "note": "x" * 100}) + "\n" for i in range(first, last))


def give(first, last):
    with open(work + "/api.jsonl", "a", encoding="utf-8") as out:
        out.write(lines(first, last))


def fill(leave):
    """Takes the disk's room up to so many bytes."""
    fs = os.statvfs(disk)
    with open(disk + "/ballast", "wb") as out:
        os.posix_fallocate(out.fileno(), 0, fs.f_bavail * fs.f_frsize - leave)


def raw():
    return run("export", "--raw", "--source", "api").stdout.decode()


with open(work + "/c.yaml", "w", encoding="utf-8") as conf:
    conf.write(f"store: {disk}/store\nruntime: {work}/run\nrules:\n  folders: [{work}/no-rules]\ndaemon:\n  silence_limit: 3s\n"
               f"sources:\n  api: {{type: file, files: [{work}/api.jsonl], content: access-log, follow: true}}\n")
give(0, 2000)
log = open(work + "/log", "ab")
daemon = subprocess.Popen([build + "/correlator/querytraild", "--config", work + "/c.yaml", "--spawn"], stdout=log, stderr=log, env=env)
try:
    check(wait_for(lambda: os.path.exists(disk + "/store/catalog.db") and raw() == lines(0, 2000)), "with room everything is taken in", said())
    before = status()
    check(before["paused"] == "", "status says that it collects", before)
    fill(1 << 20)
    give(2000, 4000)
    check(wait_for(lambda: status()["paused"].startswith("disk full, paused since 20")), "status --json says since when it is paused", said())
    check(b"collection:  disk full, paused since 20" in run("status").stdout, "so does status", run("status"))
    check("disk full, paused since" in said() and said().count("nothing is confirmed until there is room") == 1, "the log says so, once", said())
    time.sleep(4)
    check(daemon.poll() is None, "the daemon lives", said())
    check(raw() == lines(0, 2000), "nothing is half stored, and export answers meanwhile")
    found = run("who", "--format", "jsonl")
    check(found.stdout.count(b"\n") > 0 and found.returncode != 2, "questions are answered meanwhile", found)
    gaps = status()["gaps"]
    check(gaps == before["gaps"], "no gap is invented", gaps)
    # killed in the middle of it: what was not confirmed is asked for again
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(30) == 0, "it stops in order while it is paused", said())
    check(not os.path.lexists(disk + "/store/paused"), "and leaves no word behind")
    daemon = subprocess.Popen([build + "/correlator/querytraild", "--config", work + "/c.yaml", "--spawn"], stdout=log, stderr=log, env=env)
    check(wait_for(lambda: status()["paused"] != ""), "started on a full disk it waits", said())
    os.unlink(disk + "/ballast")
    check(wait_for(lambda: raw() == lines(0, 4000)), "with room it goes on by itself: everything is there once", said())
    after = status()
    check(after["paused"] == "" and "there is room again after" in said(), "status and log say that it goes on", after)
    check(after["gaps"] == before["gaps"], "there is no gap after it", after)
    give(4000, 4100)
    check(wait_for(lambda: raw() == lines(0, 4100)), "and it collects as before", said())
finally:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(20)
    except subprocess.TimeoutExpired:
        daemon.kill()
    subprocess.run(["umount", "-l", disk], check=False)
    shutil.rmtree(work, ignore_errors=True)
print(f"1..{numbers['test']}")
sys.exit(1 if numbers["failed"] else 0)
