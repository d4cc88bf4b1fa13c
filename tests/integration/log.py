#!/usr/bin/python3
"""Proves: what is committed is signed within ten seconds, over kill -9 and new starts; `verify` accepts it by the auditor's policy, over a change of keys too, and tells a store that
was put back from an older copy by a checkpoint from outside. log.py BUILD"""
import base64
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
work = tempfile.mkdtemp(prefix="querytrail-log-")
log = open(work + "/log", "ab")
numbers = {"test": 0, "failed": 0}
children = []
env = {**os.environ, "HOME": work}
for name in ("QUERYTRAIL_STORE", "QUERYTRAIL_CONFIG"):
    env.pop(name, None)
STORE, RUN, CONFIG, POLICY, OUTSIDE = (os.path.join(work, name) for name in ("store", "run", "querytrail.yaml", "policy", "outside"))
os.makedirs(RUN)
os.makedirs(OUTSIDE)


def check(good, what, why=""):
    numbers["test"] += 1
    numbers["failed"] += 0 if good else 1
    print(("ok" if good else "not ok"), numbers["test"], "-", what)
    if not good and why:
        print("# " + str(why)[:2000].replace("\n", "\n# "))
    sys.stdout.flush()


def configure(extra=""):
    with open(CONFIG, "w", encoding="utf-8") as out:
        out.write(f"store: {STORE}\nruntime: {RUN}\nrules:\n  folders: [{work}/none]\n{extra}")


def run(*words, store=STORE):
    done = subprocess.run([build + "/query/querytrail", *words, "--store", store], capture_output=True, text=True, check=False,
                          env={**env, "QUERYTRAIL_CONFIG": CONFIG}, timeout=60)
    return done.returncode, done.stdout, done.stderr


def verify(*words, store=STORE):
    status, out, err = run("verify", "--json", *words, store=store)
    return status, (json.loads(out.splitlines()[-1]) if out else {}), out + err


def ask(sql):
    with sqlite3.connect(f"file:{STORE}/catalog.db?mode=ro", uri=True, timeout=5) as catalog:
        return catalog.execute(sql).fetchall()


def import_lines(first, count):
    path = f"{work}/api-{first}.jsonl"
    with open(path, "w", encoding="utf-8") as out:
        for i in range(first, first + count):
            out.write(json.dumps({"requestId": f"r{i}", "extendedRequestId": f"x{i}=", "requestTimeEpoch": str(1763800000000 + i * 1000), "httpMethod": "GET",
                                  "resourcePath": "/orders", "status": "200", "apiId": "a1", "stage": "prod"}) + "\n")
    return run("import", "--source", "api", "--type", "access-log", path)


def daemon():
    process = subprocess.Popen([build + "/correlator/querytraild", "--config", CONFIG], stdout=log, stderr=log, env=env)
    children.append(process)
    return process


def wait_for(what, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def write_policy(*keys):
    with open(POLICY, "w", encoding="utf-8") as out:
        out.write("".join(f"log {key}\n" for key in keys) + "quorum none\n")


def newest():
    return ask("SELECT size, note FROM checkpoints ORDER BY id DESC LIMIT 1")[0]


def keep_outside():
    size, note = newest()
    with open(f"{OUTSIDE}/{size:020}.checkpoint", "w", encoding="utf-8") as out:
        out.write(note)


def leaves():
    return int(ask("SELECT value FROM meta WHERE key = 'next_leaf'")[0][0])


def test_import():
    configure()
    status, out, err = import_lines(0, 700)
    check(status == 0 and newest()[0] == leaves(), "when an import is over, all of it is signed", out + err)
    keys = ask("SELECT value FROM meta WHERE key = 'log.keys'")[0][0]
    keys = (keys.decode() if isinstance(keys, bytes) else keys).split()
    check(os.stat(STORE + "/log.key").st_mode & 0o777 == 0o600 and len(keys) == 1, "a new store has a key that only its owner reads")
    write_policy(*keys)
    status, said, text = verify("--policy", POLICY)
    check(status == 0 and said["records"] == leaves() and said["trust"] == "policy" and said["claims_checked"] > 0, "and verifies by it", text)
    write_policy("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    status, said, text = verify("--policy", POLICY)
    check(status == 1 and "no key of the policy" in text, "and not by another's key", text)
    write_policy(*keys)
    keep_outside()
    shutil.copytree(STORE, work + "/older")
    return keys[0]


def test_daemon():
    before = newest()[0]
    process = daemon()
    wait_for(lambda: os.path.exists(RUN + "/feed.sock"), 20)
    good = wait_for(lambda: newest()[0] > before and newest()[0] == leaves(), 10)
    check(good, "a daemon signs what it commits within ten seconds", f"{newest()[0]} of {leaves()}")
    for i in range(3):
        status, out, err = run("hold", "add", f"case-{i}", "user:nobody", "--note", "n")
        assert status == 0, out + err
        time.sleep(0.1 * i)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process = daemon()
    good = wait_for(lambda: newest()[0] == leaves() and ask("SELECT count(*) FROM checkpoints")[0][0] > 2, 12)
    check(good, "and after kill -9 what the one before left", f"{newest()[0]} of {leaves()}")
    process.terminate()
    check(process.wait(30) == 0 and newest()[0] == leaves(), "and all of it when it ends")
    status, _, text = verify("--policy", POLICY, "--anchor", OUTSIDE)
    check(status == 0, "which verifies with what was kept outside", text)
    keep_outside()


def test_keys(first):
    name = first.split("+")[0]
    shutil.copy(STORE + "/log.key", work + "/first.key")
    second = make_key(name)
    with open(os.open(work + "/second.key", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
        out.write(second[0] + "\n")
    configure(f"log:\n  key_file: {work}/first.key\n  next_key_file: {work}/second.key\n")
    import_lines(1000, 50)
    note = newest()[1]
    check(note.count("\u2014 " + name) == 2, "while keys change both sign", note)
    for keys, what in (((first,), "who knows the old key"), ((second[1],), "who knows the new one"), ((first, second[1]), "and who knows both")):
        write_policy(*keys)
        status, said, text = verify("--policy", POLICY)
        good = status == 0 if first in keys else "no key of the policy" in text and said["claims_checked"] > 0
        check(good, f"the overlap is accepted by {what}", text)
    configure(f"log:\n  key_file: {work}/second.key\n")
    import_lines(2000, 50)
    write_policy(first, second[1])
    status, _, text = verify("--policy", POLICY, "--anchor", OUTSIDE)
    check(status == 0 and newest()[1].count("\u2014 " + name) == 1, "then the new one signs alone, and the whole log verifies with both", text)
    rows = [json.loads(line) for line in run("export", "--raw", "--source", "api")[1].splitlines()]
    check(len(rows) == 800, "all lines are there", len(rows))


def make_key(name):
    """A private key and its public one, by openssl."""
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
    typed = b"\x01" + public[-32:]
    key_id = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4].hex()
    return (f"PRIVATE+KEY+{name}+{key_id}+" + base64.b64encode(b"\x01" + der[-32:]).decode(), f"{name}+{key_id}+" + base64.b64encode(typed).decode())


def test_older(first):
    write_policy(first)
    status, _, text = verify("--policy", POLICY, store=work + "/older")
    check(status == 0, "an older copy alone looks whole", text)
    status, _, text = verify("--policy", POLICY, "--anchor", OUTSIDE, store=work + "/older")
    check(status == 1 and "put back" in text, "what was kept outside tells that it is older", text)
    with sqlite3.connect(work + "/older/catalog.db") as catalog:
        catalog.execute("UPDATE meta SET value = x'3939' WHERE key = 'next_leaf'")
    status, out, err = run("verify", store=work + "/older")
    check(status != 0, "a catalog that was cut does not pass", out + err)


def main():
    try:
        first = test_import()
        test_daemon()
        test_keys(first)
        test_older(first)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
        log.close()
        if numbers["failed"] > 0:
            with open(work + "/log", encoding="utf-8", errors="replace") as said:
                print("# " + said.read()[-3000:].replace("\n", "\n# "))
        shutil.rmtree(work, ignore_errors=True)
    print(f"1..{numbers['test']}")
    return 1 if numbers["failed"] > 0 else 0


sys.exit(main())
