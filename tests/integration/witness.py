#!/usr/bin/env python3
"""querytrail-witness over HTTP against a log written from the standards alone: what it signs, what it refuses, and that it forgets nothing.

usage: witness.py querytrail-witness
"""
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import logstage
import notifystage
from notifystage import check, end, wait_for

WITNESS, work = sys.argv[1], notifystage.work
KEY, STATE = os.path.join(work, "witness.key"), os.path.join(work, "state")
log_key = logstage.Key(work, "example.com/log")
other_key = logstage.Key(work, "example.com/other")


def start(*more, state=STATE):
    errors = open(os.path.join(work, "witness.log"), "a", encoding="utf-8")
    child = subprocess.Popen([WITNESS, "--key", KEY, "--state", state, "--listen", "127.0.0.1:0", "--log", log_key.vkey, *more],
                             stdout=subprocess.PIPE, stderr=errors, text=True)
    notifystage.children.append(child)
    line = child.stdout.readline()
    return child, int(line.split()[1]) if line.startswith("ready ") else None


def post(port, body, path="/add-checkpoint", method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body.encode() if isinstance(body, str) else body)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, text, answer.headers.get("Content-Type", "")


made = subprocess.run([WITNESS, "--make-key", "witness.example/w1", KEY], capture_output=True, text=True, check=False)
vkey = made.stdout.strip()
check("a key is made, for its owner alone", made.returncode == 0 and os.stat(KEY).st_mode & 0o777 == 0o600, made)
again = subprocess.run([WITNESS, "--make-key", "witness.example/w1", KEY], capture_output=True, text=True, check=False)
check("a key that is there is not written over", again.returncode == 78 and "there already" in again.stderr, again)

child, port = start()
log = logstage.Log(log_key, 5)
status, text, _ = post(port, log.request(0))
check("the first checkpoint is signed, and openssl says so too",
      status == 200 and logstage.verify_cosignature(vkey, log.note(), text, work), (status, text))
log.grow(300)
status, text, kind = post(port, log.request(0))
check("who does not know what was signed last is told", (status, text, kind) == (409, "5\n", "text/x.tlog.size"), (status, text, kind))
status, text, _ = post(port, log.request(5))
check("what extends it is signed", status == 200 and logstage.verify_cosignature(vkey, log.note(), text, work), (status, text))
check("the same again is signed again", post(port, log.request(300))[0] == 200)
check("less than was signed: 409", post(port, log.request(5, 200))[:2] == (409, "300\n"))

fork = logstage.Log(log_key, 5)
fork.grow(400, b" forged")
check("a tree of the same key that is another: 422", post(port, fork.request(300))[0] == 422)
check("a tree of the same size with another root: 422", post(port, fork.request(300, 300))[0] == 422)
bad = logstage.consistency(300, log.leaves + [b"x" * 32])
log.grow(301)
check("a wrong proof: 422", post(port, log.request(300, proof=[b"y" * 32 for _ in bad]))[0] == 422)
check("a proof where none belongs: 422", post(port, log.request(300, 300, [b"z" * 32]))[0] == 422)
check("a log that it does not know: 404", post(port, logstage.Log(other_key, 3).request(0))[0] == 404)
thief = logstage.Key(work, log_key.name)
check("a checkpoint that its key did not sign: 403", post(port, logstage.Log(thief, 400).request(300))[0] == 403)
forged = log.request(300).splitlines(keepends=True)
forged[-1] = log_key.line("something else\n")
check("a signature of its key that is wrong: 403", post(port, "".join(forged))[0] == 403)

for what, body in {
        "nothing": "", "no old line": "new 3\n\n" + log.note(), "a padded size": log.request(300).replace("old 300", "old 0300"),
        "a negative size": log.request(300).replace("old 300", "old -1"), "no empty line": "old 0\n", "no hash": "old 0\nAAAA\n\n" + log.note(),
        "64 hashes": "old 300\n" + (logstage.b64(b"a" * 32) + "\n") * 64 + "\n" + log.note(),
        "an old size above the new one": log.request(300, proof=[]).replace("old 300", "old 302"), "no note": "old 0\n\nhello\n",
        "zeros": "\0" * 1000, "carriage returns": log.request(300).replace("\n", "\r\n")}.items():
    status, text, _ = post(port, body)
    check(f"{what}: 400", status == 400, (status, text))
check("a body that is too large: 413", post(port, "old 0\n" + "A" * 200000)[0] == 413)
check("another path: 404; another method: 405",
      (post(port, "", "/")[0], post(port, "", method="GET")[0]) == (404, 405))

slow = socket.create_connection(("127.0.0.1", port))
slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000\r\n\r\nold ")
garbage = socket.create_connection(("127.0.0.1", port))
garbage.sendall(os.urandom(4096))
status, text, _ = post(port, log.request(300))
check("slow and mad clients hold up nobody", status == 200 and logstage.verify_cosignature(vkey, log.note(), text, work), (status, text))
slow.close()
garbage.close()

branches = []
for number in range(8):
    branch = logstage.Log(log_key)
    branch.leaves = list(log.leaves)
    branch.grow(310, b" branch %d" % number)
    branches.append((branch, branch.request(301)))
results = [None] * len(branches)
threads = [threading.Thread(target=lambda at: results.__setitem__(at, post(port, branches[at][1])), args=(number,))
           for number in range(len(branches))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
signed = [at for at, result in enumerate(results) if result[0] == 200]
check("of eight different trees at once it signs one", len(signed) == 1 and
      all(result[:2] == (409, "310\n") for at, result in enumerate(results) if at not in signed), results)
log = branches[signed[0]][0]

second = subprocess.run([WITNESS, "--key", KEY, "--state", STATE, "--listen", "127.0.0.1:0", "--log", log_key.vkey],
                        capture_output=True, text=True, timeout=20, check=False)
check("a second one on the same folder is refused", second.returncode == 78 and "another witness" in second.stderr, second)

child.send_signal(signal.SIGKILL)
child.wait()
child, port = start()
log.grow(320)
check("after kill -9 it knows what it signed", post(port, log.request(301))[:2] == (409, "310\n"))
check("and goes on from there", post(port, log.request(310))[0] == 200)

# Killed at any moment: what it ever signed is one history.
signed, trunk = [], logstage.Log(log_key)
trunk.leaves = list(log.leaves)
for attempt in range(25):
    size = post(port, trunk.request(0, 1))[1] if attempt == 0 else None
    known = int(size) if size else known
    branches = []
    for number in range(4):
        branch = logstage.Log(log_key)
        branch.leaves = trunk.leaves[:known]
        branch.grow(known + 1 + number, b" attempt %d branch %d" % (attempt, number))
        branches.append((branch, branch.request(known)))
    results = [None] * len(branches)

    def send(at):
        try:
            results[at] = post(port, branches[at][1])
        except (OSError, http.client.HTTPException):
            results[at] = (0, "", "")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(branches))]
    for thread in threads:
        thread.start()
    time.sleep(attempt % 5 * 0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    for thread in threads:
        thread.join()
    good = [branches[at][0] for at, result in enumerate(results) if result[0] == 200]
    child, port = start()
    known = int(post(port, trunk.request(0, 1))[1])
    here = next((branch for branch, _ in branches if len(branch.leaves) == known), None)
    if here is not None:
        trunk.leaves = list(here.leaves)
    signed += [True] * len(good)
    signed.append(all(branch.leaves == trunk.leaves[:len(branch.leaves)] and len(branch.leaves) <= known for branch in good))
check("killed 25 times while it signs, it never signed two histories, and knows all that it signed", all(signed) and len(signed) > 25, signed)
log = trunk
check("and still signs", post(port, (log.grow(known + 1), log.request(known))[1])[0] == 200)

STATE_FILE = next(os.path.join(STATE, name) for name in os.listdir(STATE) if name.endswith(".checkpoint"))
child.terminate()
check("it ends when asked", wait_for(lambda: child.poll() is not None) and child.returncode == 0, child.returncode)
with open(STATE_FILE, encoding="utf-8") as file:
    kept = file.read()
check("what it keeps is the checkpoint as the log signed it", kept == log.note(), kept)
with open(STATE_FILE, "w", encoding="utf-8") as file:
    file.write(kept.replace(f"\n{len(log.leaves)}\n", "\n32\n"))
child, port = start()
check("a state that was changed is not believed", port is None and child.wait() == 2, port)

os.rename(STATE, STATE + ".kept")
weak = subprocess.run([WITNESS, "--key", KEY, "--state", STATE, "--listen", "nowhere", "--log", log_key.vkey], capture_output=True,
                      text=True, check=False)
check("an address that is none is told", weak.returncode == 78 and "nowhere" in weak.stderr, weak)
check("a log's vkey that is none is told", subprocess.run(
    [WITNESS, "--key", KEY, "--state", STATE, "--listen", "127.0.0.1:0", "--log", "x"], capture_output=True, check=False).returncode == 78)
check("its own key as a log's is refused", subprocess.run(
    [WITNESS, "--key", KEY, "--state", STATE, "--listen", "127.0.0.1:0", "--log", vkey], capture_output=True, check=False).returncode == 78)
os.chmod(KEY, 0o644)
check("a key that others may read is refused", start()[1] is None)
end()
