#!/usr/bin/env python3
"""The log's checkpoints on their way out: querytraild and querytrail-notify with a witness, a time stamp authority (openssl ts), a folder and a syslog
server; what each gets is checked with openssl and with a log written from the standards. Then: what fails, and what a store is told that was put back.

usage: anchors.py BUILD_FOLDER
"""
import base64
import http.server
import json
import os
import re
import shutil
import signal
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import logstage
import notifystage
from notifystage import check, end, wait_for

BUILD, work = sys.argv[1], notifystage.work
DAEMON = os.path.join(BUILD, "correlator", "querytraild")
NOTIFY = os.path.join(BUILD, "correlator", "notify", "querytrail-notify")
WITNESS = os.path.join(BUILD, "witness", "querytrail-witness")
QUERYTRAIL = os.path.join(BUILD, "query", "querytrail")
STORE, RUN, FOLDER, CONFIG = (os.path.join(work, name) for name in ("store", "run", "folder", "querytrail.yaml"))
os.makedirs(FOLDER)


def start(*arguments, log="programs.log"):
    errors = open(os.path.join(work, log), "a", encoding="utf-8")
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors, text=True)
    notifystage.children.append(child)
    return child


def stop(child, how=signal.SIGTERM):
    child.send_signal(how)
    return child.wait(20)


def said(log="programs.log"):
    with open(os.path.join(work, log), encoding="utf-8") as file:
        return file.read()


def ask(sql, *values, store=None):
    try:
        with sqlite3.connect(f"file:{store or STORE}/catalog.db?mode=ro", uri=True, timeout=5) as catalog:
            return catalog.execute(sql, values).fetchall()
    except sqlite3.Error:
        return []


def last():
    """Size and note of the newest checkpoint."""
    rows = ask("SELECT size, note FROM checkpoints ORDER BY id DESC LIMIT 1")
    return rows[0] if rows else (0, "")


def anchor(name):
    rows = ask("SELECT taken_size, failures, text, known_size FROM anchors WHERE name = ?", name)
    return rows[0] if rows else (0, 0, "", 0)


def refused():
    rows = ask("SELECT value FROM meta WHERE key = 'log.refused'")
    return bytes(rows[0][0]).decode() if rows else ""


def configure(**anchors):
    lines = [f"store: {STORE}", f"runtime: {RUN}", "log:", "  interval: 100ms"]
    if anchors:
        lines.append("anchors:")
    for name, options in anchors.items():
        lines.append(f"  {name}:")
        lines += [f"    {key}: {value}" for key, value in dict({"interval": "100ms"}, **options).items()]
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def start_daemon():
    child = start(DAEMON, "--config", CONFIG)
    wait_for(lambda: child.poll() is not None or os.path.exists(os.path.join(RUN, "feed.sock")))
    return child


def start_notify():
    return start(NOTIFY, "--config", CONFIG)


def grow(daemon):
    """One more record, and its checkpoint."""
    before = last()[0]
    daemon.send_signal(signal.SIGHUP)
    return wait_for(lambda: last()[0] > before)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.answer(*self.server.reply(body, self.headers.get("Content-Type", "")))
        except OSError:
            pass


def serve(reply):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.reply = reply
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


# A time stamp authority made of openssl.
TSA = os.path.join(work, "tsa")
os.makedirs(TSA)
with open(os.path.join(TSA, "tsa.cnf"), "w", encoding="utf-8") as file:
    file.write(f"""[ tsa ]
default_tsa = this
[ this ]
dir = {TSA}
serial = {TSA}/serial
signer_cert = {TSA}/tsa.pem
signer_key = {TSA}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[ stamping ]
extendedKeyUsage = critical,timeStamping
""")


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], cwd=TSA, capture_output=True, check=False)


def make_authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN={name}", "-days", "30")


make_authority("ca")
make_authority("stranger")
openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=tsa")
openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tsa.pem", "-days", "30",
        "-extfile", "tsa.cnf", "-extensions", "stamping")
stamping = threading.Lock()
tsa_says, queries = ["good"], []


def stamp(body, kind):
    with stamping:
        queries.append((kind, body))
        if tsa_says[0] == "replay" and os.path.exists(os.path.join(TSA, "reply.tsr")):
            with open(os.path.join(TSA, "reply.tsr"), "rb") as before:
                return 200, "application/timestamp-reply", before.read()
        if tsa_says[0] == "garbage":
            return 200, "application/timestamp-reply", os.urandom(900)
        with open(os.path.join(TSA, "query.tsq"), "wb") as query:
            query.write(body)
        openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr")
        with open(os.path.join(TSA, "reply.tsr"), "rb") as made:
            return 200, "application/timestamp-reply", made.read()


tsa_server, tsa_url = serve(stamp)

# A syslog server that counts octets.
lines = []


class Syslog(socketserver.BaseRequestHandler):
    def handle(self):
        data = b""
        while True:
            part = self.request.recv(65536)
            if not part:
                break
            data += part
        while b" " in data:
            count, rest = data.split(b" ", 1)
            lines.append(rest[:int(count)].decode())
            data = rest[int(count):]


syslog = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Syslog)
syslog.daemon_threads = True
threading.Thread(target=syslog.serve_forever, daemon=True).start()

# The store's key is made with the store; the witness must know it.
configure()
daemon = start_daemon()
wait_for(lambda: last()[0] > 0)
stop(daemon)
with open(os.path.join(STORE, "log.key"), encoding="utf-8") as file:
    parts = file.read().strip().split("+", 4)
log_key = logstage.Key(work, parts[2], seed=base64.b64decode(parts[4])[1:])
made = subprocess.run([WITNESS, "--make-key", "witness.example/w1", os.path.join(work, "witness.key")], capture_output=True, text=True, check=True)
vkey = made.stdout.strip()


def start_witness(port=0):
    child = start(WITNESS, "--key", os.path.join(work, "witness.key"), "--state", os.path.join(work, "witness"), "--listen", f"127.0.0.1:{port}",
                  "--log", log_key.vkey)
    line = child.stdout.readline().split()
    return child, int(line[1]) if line else 0


witness, witness_port = start_witness()
W1 = {"type": "witness", "url": f"http://127.0.0.1:{witness_port}/", "key": vkey}
DIR = {"type": "file", "folder": FOLDER}
TS = {"type": "timestamp", "url": tsa_url, "tsa_ca_file": os.path.join(TSA, "ca.pem")}
LOG = {"type": "syslog", "host": "127.0.0.1", "port": syslog.server_address[1], "tls": "false"}
ALL = {"w1": W1, "dir": DIR, "ts": TS, "log": LOG}


def all_taken(names=ALL):
    size = last()[0]
    return size > 0 and all(anchor(name)[0] == size for name in names)


configure(**ALL)
daemon, notify = start_daemon(), start_notify()
check("every anchor takes the checkpoint", wait_for(all_taken), [anchor(name) for name in ALL])
check("the daemon's key signs as openssl does", last()[1].endswith(log_key.line(last()[1].split("\n\n")[0] + "\n")), last())
check("and once more, with a proof", grow(daemon) and wait_for(all_taken), [anchor(name) for name in ALL])
size, note = last()


def receipt(name, at):
    rows = ask("SELECT kind, bytes FROM receipts WHERE anchor = ? AND size = ?", name, at)
    return rows[0] if rows else (0, b"")


kind, line = receipt("w1", size)
check("the witness's signature is kept, and openssl verifies it", kind == 1 and logstage.verify_cosignature(vkey, note, line.decode(), work), line)
kind, reply = receipt("ts", size)
with open(os.path.join(TSA, "kept.tsr"), "wb") as file:
    file.write(reply)
with open(os.path.join(TSA, "kept.checkpoint"), "w", encoding="utf-8") as file:
    file.write(note)
verified = openssl("ts", "-verify", "-data", "kept.checkpoint", "-in", "kept.tsr", "-CAfile", "ca.pem")
check("the time stamp is kept, and openssl ts verifies it", kind == 2 and verified.returncode == 0, verified)
with open(os.path.join(TSA, "own.checkpoint"), "w", encoding="utf-8") as file:
    file.write(note)
own = openssl("ts", "-query", "-data", "own.checkpoint", "-sha256", "-cert").stdout
check("it was asked for as openssl ts -query -sha256 -cert does", queries[-1][0] == "application/timestamp-query" and
      len(queries[-1][1]) in (len(own), len(own) - 1, len(own) + 1), (queries[-1], own))
with open(os.path.join(FOLDER, f"{size:020}.checkpoint"), encoding="utf-8") as file:
    check("the folder has it", file.read() == note)
with open(os.path.join(FOLDER, "latest"), encoding="utf-8") as file:
    check("and as latest", file.read() == note)
line = next((each for each in lines if f'size="{size}"' in each), "")
found = re.search(r'note="([^"]*)"', line)
check("the syslog server has it whole", line.startswith("<109>1 ") and found and base64.b64decode(found[1]).decode() == note, lines)



def querytrail(*arguments):
    return subprocess.run([QUERYTRAIL, *arguments], capture_output=True, text=True, check=False)


def write_policy(name, witness):
    with open(os.path.join(work, name), "w", encoding="utf-8") as policy:
        policy.write(f"log {log_key.vkey}\nwitness w1 {witness}\nquorum w1\n")
    return os.path.join(work, name)


# What an auditor gets carries the witness's word, and is worth nothing to one who trusts another witness.
stranger = logstage.Key(work, "witness.example/w2", kind=logstage.COSIGNATURE)
ours, theirs = write_policy("ours", vkey), write_policy("theirs", stranger.vkey)
EVIDENCE = os.path.join(work, "evidence")
proved = querytrail("prove", "leaf:0", "-o", EVIDENCE, "--store", STORE, "--policy", ours)
check("prove gives out the checkpoint with its cosignature and time stamp", proved.returncode == 0 and
      os.path.exists(os.path.join(EVIDENCE, "ts.tsr")), (proved, os.listdir(EVIDENCE) if os.path.exists(EVIDENCE) else None))
good, bad = querytrail("verify", "--bundle", EVIDENCE, "--policy", ours), querytrail("verify", "--bundle", EVIDENCE, "--policy", theirs)
check("an auditor's policy with the witness as quorum accepts it, one with another does not", good.returncode == 0 and bad.returncode != 0,
      (good, bad))
good = querytrail("verify", "--store", STORE, "--policy", ours, "--anchor", FOLDER)
check("verify compares the store with the folder", good.returncode == 0, good)
shown = subprocess.run([QUERYTRAIL, "status", "--store", STORE], capture_output=True, text=True, check=False)
check("status tells the age of each", all(re.search(rf"{name} \(\w+\) all {size} records .* ago\n", shown.stdout) for name in ALL), shown)
shown = subprocess.run([QUERYTRAIL, "who", "--store", STORE], capture_output=True, text=True, check=False)
check("and so does every answer", "anchored: dir all" in shown.stdout + shown.stderr, shown)
shown = subprocess.run([QUERYTRAIL, "status", "--json", "--store", STORE], capture_output=True, text=True, check=False)
check("also as JSON", len(json.loads(shown.stdout)["anchored"]) == 4 and json.loads(shown.stdout)["signed"] == size, shown)

# Restarts.
stop(notify, signal.SIGKILL)
grow(daemon)
stop(daemon, signal.SIGKILL)
shutil.rmtree(RUN, ignore_errors=True)
daemon, notify = start_daemon(), start_notify()
check("after kill -9 of both it goes on", wait_for(all_taken), [anchor(name) for name in ALL])
stop(witness, signal.SIGKILL)
grow(daemon)
check("a witness that is away is a failure", wait_for(lambda: anchor("w1")[1] > 0) and anchor("w1")[2] != "", anchor("w1"))
check("and holds up no other", wait_for(lambda: all_taken(("dir", "ts", "log"))), [anchor(name) for name in ALL])
witness, _ = start_witness(witness_port)
check("when it is back it is told", wait_for(lambda: anchor("w1")[0] == last()[0] and anchor("w1")[1:3] == (0, "")), anchor("w1"))

# The daemon has forgotten what the witness knows.
stop(daemon)
stop(notify)
with sqlite3.connect(f"{STORE}/catalog.db") as catalog:
    catalog.execute("UPDATE anchors SET known_size = 1 WHERE name = 'w1'")
daemon, notify = start_daemon(), start_notify()
check("a witness that tells another size gets its proof, and a damaged row is begun anew", wait_for(all_taken) and
      "the anchor w1 is damaged" in said(), [anchor(name) for name in ALL])

# Time stamps that are none.
tsa_says[0] = "garbage"
grow(daemon)
check("garbage is no time stamp", wait_for(lambda: anchor("ts")[1] > 0) and "time stamp" in anchor("ts")[2], anchor("ts"))
tsa_says[0] = "replay"
count = len(queries)
check("nor is an old one", wait_for(lambda: len(queries) > count + 1) and anchor("ts")[1] > 1, anchor("ts"))
check("nothing of it is kept", receipt("ts", last()[0]) == (0, b""))
tsa_says[0] = "good"
check("a good one is", wait_for(all_taken), anchor("ts"))
stop(daemon)
stop(notify)
configure(ts=dict(TS, tsa_ca_file=os.path.join(TSA, "stranger.pem")))
daemon, notify = start_daemon(), start_notify()
check("one of an authority that nobody vouches for is not", wait_for(lambda: anchor("ts")[1] > 0) and
      "not good" in anchor("ts")[2], anchor("ts"))
stop(daemon)
stop(notify)

# Witnesses that misbehave.
bad_says = [(500, "text/plain", b"down\n")]
other_witness = logstage.Key(work, "witness.example/w1", kind=logstage.COSIGNATURE)


def misbehave(body, _):
    said_now = bad_says[0]
    if said_now == "slow":
        time.sleep(3)
        return 200, "text/plain", b"late\n"
    if said_now == "forged":
        return 200, "text/plain", ("\u2014 witness.example/w1 " + base64.b64encode(
            bytes.fromhex(vkey.split("+")[1]) + bytes(72)).decode() + "\n").encode()
    return said_now


bad_server, bad_url = serve(misbehave)
configure(bad=dict(W1, url=bad_url, timeout="500ms"))
daemon, notify = start_daemon(), start_notify()
for what, says, words in (("500", (500, "text/plain", b"down\n"), "500"), ("garbage", (200, "text/plain", os.urandom(200)), "no signature"),
                          ("an empty answer", (200, "text/plain", b""), "no signature"), ("a forged signature", "forged", "no signature"),
                          ("403", (403, "text/plain", b"who?\n"), "403"), ("409 without a size", (409, "text/plain", b"no\n"), "409"),
                          ("409 with a mad size", (409, "text/x.tlog.size", b"-5\n"), "409"), ("slowness", "slow", "time"),
                          ("too much", (200, "text/plain", b"x" * 300000), "more than"),
                          ("409 without end", (409, "text/x.tlog.size", b"1\n"), "proof")):
    bad_says[0] = says
    grow(daemon)
    check(f"{what} is a failure", wait_for(lambda: words in anchor("bad")[2], 20), anchor("bad"))
check("none of them stops the log", refused() == "" and anchor("bad")[0] == 0 and anchor("bad")[1] > 3, (refused(), anchor("bad")))
stop(daemon)
stop(notify)

# A store that was put back.
configure(w1=W1, dir=DIR)
COPY = STORE + ".copy"
shutil.copytree(STORE, COPY)
daemon, notify = start_daemon(), start_notify()
grow(daemon)
check("the true store goes on", wait_for(lambda: all_taken(("w1", "dir"))), [anchor(name) for name in ("w1", "dir")])
grow(daemon)
grow(daemon)
check("and on", wait_for(lambda: all_taken(("w1", "dir"))), [anchor(name) for name in ("w1", "dir")])
stop(daemon)
stop(notify)
anchored = anchor("w1")[0]
os.rename(STORE, STORE + ".true")


def put_back():
    shutil.rmtree(STORE, ignore_errors=True)
    shutil.copytree(COPY, STORE)


put_back()
before = last()
late = subprocess.run([DAEMON, "--config", CONFIG], capture_output=True, text=True, timeout=30, check=False)
check("with a folder among its anchors an older copy does not start", late.returncode == 78 and "log continue" in late.stderr and
      "older copy" in late.stderr and last() == before, late)
configure(w1=W1)
daemon, notify = start_daemon(), start_notify()
check("with a witness alone it is found out", wait_for(refused) and f"w1 {anchored} " in refused(), (refused(), anchor("w1")))
signed = last()
daemon.send_signal(signal.SIGHUP)
check("it is logged", wait_for(lambda: "log continue" in said()))
time.sleep(0.5)
check("and nothing is signed any more", last() == signed, (signed, last()))
state = subprocess.run([QUERYTRAIL, "status", "--store", STORE], capture_output=True, text=True, check=False)
check("status says so", "refused" in state.stdout and "w1" in state.stdout, state)
stop(daemon)
stop(notify)
daemon, notify = start_daemon(), start_notify()
time.sleep(0.5)
check("nor after a restart", last() == signed and refused() != "", last())
stop(daemon)
stop(notify)

put_back()
configure()
daemon = start_daemon()
while last()[0] <= anchored + 2:
    grow(daemon)
stop(daemon)
configure(w1=W1)
daemon, notify = start_daemon(), start_notify()
check("an older copy that went on alone is another tree", wait_for(refused) and "another tree" in refused(), (refused(), anchor("w1")))
stop(daemon)
stop(notify)
configure(dir=DIR)
late = subprocess.run([DAEMON, "--config", CONFIG], capture_output=True, text=True, timeout=30, check=False)
check("and the folder says so at the start", late.returncode == 78 and "others" in late.stderr, late)

# The folder's file is of another tree, and only querytrail-notify sees it.
shutil.rmtree(STORE)
os.rename(STORE + ".true", STORE)
configure()
daemon = start_daemon()
grow(daemon)
size = last()[0]
stop(daemon)
fork = logstage.Log(log_key, 1)
fork.grow(last()[0], b" forged")
os.makedirs(FOLDER + "2")
configure(two=dict(DIR, folder=FOLDER + "2"))
daemon = start_daemon()
wait_for(lambda: last()[0] > size)
for more in range(3):
    fork.grow(last()[0] + more, b" forged")
    with open(os.path.join(FOLDER + "2", f"{last()[0] + more:020}.checkpoint"), "w", encoding="utf-8") as file:
        file.write(fork.note())
notify = start_notify()
check("a file of the same size with another tree is a fork", wait_for(refused) and "another tree" in refused(), (refused(), anchor("two")))
stop(daemon)
stop(notify)

# A witness that says 409 of another root, without a size, as some do.
shutil.rmtree(STORE)
put_back()
asked = []


def conflict(body, _):
    asked.append(body)
    size = body.split(b"\n\n", 1)[1].split(b"\n")[1]
    if body.startswith(b"old " + size + b"\n"):
        return 409, "text/plain", b"another root\n"
    return 409, "text/x.tlog.size", size + b"\n"


conflict_server, conflict_url = serve(conflict)
configure()
mark = len(said())
daemon, notify = start_daemon(), start_notify()
wait_for(lambda: "querytrail-notify is connected" in said()[mark:])
configure(bad=dict(W1, url=conflict_url))
notify.send_signal(signal.SIGHUP)
grow(daemon)
check("an anchor that is new in the configuration is asked after SIGHUP", wait_for(lambda: asked), anchor("bad"))
check("409 for another root is a fork too", wait_for(refused) and "as many records" in refused(), (refused(), asked))
stop(daemon)
stop(notify)
conflict_server.shutdown()
bad_server.shutdown()
tsa_server.shutdown()
syslog.shutdown()
end()
