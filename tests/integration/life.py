#!/usr/bin/python3
"""Proves: what is erased is gone from every file of the store and from every answer, stays gone when an older copy is restored or its lines are imported again,
and survives kill -9 at any moment; legal holds keep what they cover until they are released; retention masks and removes by age; evidence holds
before and after. life.py BUILD"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
work = tempfile.mkdtemp(prefix="querytrail-life-")
log = open(work + "/log", "ab")
children = []
numbers = {"test": 0, "failed": 0}
PEOPLE = ["anna", "berta", "carl"]
LEDGER = work + "/apart/ledger"
env = {**os.environ, "HOME": work}
env.pop("QUERYTRAIL_STORE", None)
env.pop("QUERYTRAIL_CONFIG", None)


def check(good, what, why=""):
    numbers["test"] += 1
    numbers["failed"] += 0 if good else 1
    print(("ok" if good else "not ok"), numbers["test"], "-", what)
    if not good and why:
        print("# " + str(why)[:2000].replace("\n", "\n# "))
    sys.stdout.flush()


def canaries(person):
    """Texts that say that it is this person, one for each place where one can stand."""
    return [f"{person}@canary.example", f"agent-{person}-canary", f"/carts/{person}-canary", f"10.77.{PEOPLE.index(person)}.",
            f"iban-{person}-canary", f"note-{person}-canary", f"host-{person}-canary"]


def request_id(person, i):
    return f"{PEOPLE.index(person):08d}-0000-4000-8000-{i:012d}"


def write_sources(folder):
    """Six requests a person, three statements each."""
    lines, rows = [], []
    start = 1763800000000  # 2025-11-22, a year ago
    for i in range(6):
        for p, person in enumerate(PEOPLE):
            at = start + i * 10000 + p * 1000
            lines.append(json.dumps({
                "requestId": request_id(person, i), "extendedRequestId": f"X{p}{i}canary=", "requestTimeEpoch": str(at), "httpMethod": "GET",
                "resourcePath": "/carts/{id}", "path": f"/prod/carts/{person}-canary", "status": "200", "responseLatency": "90",
                "stage": "prod", "apiId": "a1", "sourceIp": f"10.77.{p}.{i + 1}", "userAgent": f"agent-{person}-canary/1.0",
                "email": f"{person}@canary.example"}))
            for k in range(3):
                when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000 + 10 + k:03d}0000"
                rows.append(json.dumps({
                    "event_time": when, "sequence_number": 1, "action_id": "SL", "succeeded": True, "session_id": 50 + p, "class_type": "U",
                    "session_server_principal_name": "app", "server_principal_name": "app", "database_principal_name": "app",
                    "server_instance_name": "SQL01", "database_name": "Shop", "schema_name": "dbo", "object_name": "Carts",
                    "statement": f"SELECT * FROM dbo.Carts WHERE Iban = 'iban-{person}-canary-{i}' AND Note = N'note-{person}-canary' AND "
                                 f"Line = {k} /*request_id={request_id(person, i)}*/",
                    "file_name": "a.sqlaudit", "audit_file_offset": 512 * len(rows), "host_name": f"host-{person}-canary",
                    "application_name": "api", "client_ip": "10.0.0.9"}))
    for name, texts in (("api.jsonl", lines), ("db.jsonl", rows)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write("\n".join(texts) + "\n")
    return lines, rows


def config(store, extra="", ledger=LEDGER):
    path = f"{work}/{store}.yaml"
    os.makedirs(f"{work}/run-{store}", exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"store: {work}/{store}\nruntime: {work}/run-{store}\nrules:\n  folders: [{work}/no-rules]\n"
                  f"retention:\n  interval: 100ms\n  ledger: {ledger}\n{extra}")
    return path


def run(store, *words):
    """The command line: exit status, stdout, stderr."""
    done = subprocess.run([build + "/query/querytrail", *words, "--store", f"{work}/{store}"], capture_output=True, text=True, check=False,
                          env={**env, "QUERYTRAIL_CONFIG": f"{work}/{store}.yaml"}, timeout=120)
    return done.returncode, done.stdout, done.stderr


def import_all(store, folder=None):
    said = ""
    for source, kind, name in (("api", "access-log", "api.jsonl"), ("db", "audit-rows", "db.jsonl")):
        status, out, err = run(store, "import", "--source", source, "--type", kind, os.path.join(folder or work, name))
        said += out + err
        assert status in (0, 1), said
    return said


def daemon(store):
    process = subprocess.Popen([build + "/correlator/querytraild", "--config", f"{work}/{store}.yaml"], stdout=log, stderr=log, env=env)
    children.append(process)
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def status_of(store):
    return json.loads(run(store, "status", "--json")[1])


def said_in_log(text):
    with open(work + "/log", encoding="utf-8", errors="replace") as seen:
        return text in seen.read()


def answers(store):
    """Everything that the store gives away, in every way."""
    text = ""
    for words in (("who", "--format", "jsonl", "--with-raw"), ("who", "grade:U2", "--format", "jsonl", "--with-raw"), ("top", "user"),
                  ("export", "--raw", "--source", "api"), ("export", "--raw", "--source", "db"), ("alerts", "--json"), ("status", "--json"),
                  ("hold", "list")):
        text += "".join(run(store, *words)[1:])
    for person in PEOPLE:
        text += "".join(run(store, "show", request_id(person, 1))[1:])
    return text


def files(store):
    found = []
    for folder, _, names in os.walk(f"{work}/{store}"):
        found += [os.path.join(folder, name) for name in names]
    return sorted(found)


def traces(store, person, given=None):
    """Where the person still shows; the key by which one asks for a request is no trace of the store."""
    text = answers(store) if given is None else given
    text = text.replace(request_id(person, 1), "")
    found = ["answers: " + canary for canary in canaries(person) if canary in text]
    found += ["answers: an id" for i in range(6) if request_id(person, i) in text]
    for path in files(store):
        with open(path, "rb") as one:
            data = one.read()
        found += [path + ": " + canary for canary in canaries(person) if canary.encode() in data]
    return found


def whole(store, person, sources):
    """Whether all original lines of the person come back."""
    api = run(store, "export", "--raw", "--source", "api")[1].splitlines()
    db = run(store, "export", "--raw", "--source", "db")[1].splitlines()
    mine = [line for line in sources[0] if f"{person}@" in line]
    rows = [line for line in sources[1] if f"iban-{person}-" in line]
    return [line for line in api if f"{person}@" in line] == mine and [line for line in db if f"iban-{person}-" in line] == rows


def proven(store, what, taken):
    """Every leaf is still what was signed, and each that lost its content is named by a record of the log."""
    status, out, err = run(store, "verify", "--json")
    said = json.loads(out.splitlines()[-1]) if out else {}
    good = status == 0 and (said["redacted"] + said["removed"] > 0) == taken and said["claims_checked"] > 0
    check(good, f"the log of {what} proves what is left", out + err)


def copy(source, target):
    shutil.rmtree(f"{work}/{target}", ignore_errors=True)
    shutil.copytree(f"{work}/{source}", f"{work}/{target}")


def blocks(store):
    return [path for path in files(store) if path.endswith(".qtb")]


def test_hold_and_erase(sources):
    status, out, err = run("s", "hold", "add", "case-1", "user:berta@canary.example", "--note", "court order")
    check(status == 0 and "6 requests and 18 statements" in out, "a legal hold says what it covers", out + err)
    before = blocks("s")
    status, out, err = run("s", "erase", "user:anna@canary.example OR user:berta@canary.example")
    check(status == 0 and "requests   12" in out and "statements 36" in out and "case-1" in out and "Nothing was changed" in out,
          "a preview says what would go and what is held", out + err)
    check(blocks("s") == before and whole("s", "anna", sources), "and changes nothing")
    status, out, err = run("s", "erase", "user:anna@canary.example", "--yes")
    check(status == 2 and "--reason" in err, "an erasure without a reason is refused", out + err)
    status, out, err = run("s", "erase", "user:anna@canary.example OR user:berta@canary.example", "--reason", "request 4711", "--yes")
    check(status == 3 and "Erasure " in out and "held" in out and "SHA-256" in out, "the certificate says what a hold kept", out + err)
    check("anna" not in out and "berta" not in out, "and names nobody", out)
    check(not traces("s", "anna"), "whom no hold covers is gone from all files and answers", traces("s", "anna"))
    check(whole("s", "berta", sources) and whole("s", "carl", sources), "the lines of others, and those under the hold, are as they were")
    check(not [path for path in before if os.path.exists(path)], "the old blocks are deleted")
    check(status_of("s")["erasures_held"] == 1, "status says that an erasure waits")
    status, out, err = run("s", "hold", "release", "case-1", "--note", "closed")
    check(status == 0 and "is done" in out, "releasing the hold does the erasure that waited", out + err)
    check(not traces("s", "berta"), "and what it kept is gone", traces("s", "berta"))
    check(whole("s", "carl", sources), "the third person's lines are as they were")
    state = status_of("s")
    check(state["erasures_done"] == 1 and state["legal_holds"] == 0, "status says so", state)
    proven("s", "a store with erasures", True)


def test_again(sources):
    said = import_all("s")
    check(not traces("s", "anna") and not traces("s", "berta") and whole("s", "carl", sources), "the same files again bring nobody back", said)
    copy("backup", "restored")
    config("restored")
    check(traces("restored", "anna") != [], "a restored copy holds them")
    process = daemon("restored")
    good = wait_for(lambda: status_of("restored")["erasures_done"] == 1)
    stop(process)
    check(good and said_in_log("erasures that the store has not seen"), "until the daemon compares it with the ledger and says so")
    left = traces("restored", "anna") + traces("restored", "berta")
    check(not left and whole("restored", "carl", sources), "and erases them again", left)
    proven("restored", "a restored store", True)
    config("fresh")
    said = import_all("fresh")
    left = traces("fresh", "anna") + traces("fresh", "berta")
    check(not left and whole("fresh", "carl", sources), "an empty store with this ledger does not take them in either", str(left) + said)


def test_literals(sources):
    copy("backup", "masked")
    config("masked", ledger=work + "/apart/masked")
    status, out, err = run("masked", "erase", "user:anna@canary.example", "--literals", "--reason", "DPIA 8", "--yes")
    text = answers("masked")
    check(status == 0 and "iban-anna-canary" not in text and "anna@canary.example" in text, "--literals takes values and leaves who it was",
          out + err)
    check(whole("masked", "berta", sources), "of those that were meant alone")
    proven("masked", "a store without values", True)
    import_all("masked")
    proven("masked", "the same, with the files again", True)
    check("iban-anna-canary" not in answers("masked"), "and the same files again do not bring the values back")


def test_kill(sources):
    random.seed(4711)
    for i in range(6):
        copy("backup", "killed")
        ledger = f"{work}/apart/killed-{i}"
        config("killed", ledger=ledger)
        process = daemon("killed")
        wait_for(lambda: os.path.exists(f"{work}/run-killed/feed.sock"))
        order = subprocess.Popen([build + "/query/querytrail", "erase", "user:anna@canary.example", "--reason", "r", "--yes", "--store",
                                  f"{work}/killed"], stdout=log, stderr=log, env={**env, "QUERYTRAIL_CONFIG": f"{work}/killed.yaml"})
        children.append(order)
        time.sleep(random.uniform(0.02, 0.35))
        process.send_signal(signal.SIGKILL)
        process.wait()
        order.wait(60)
        os.unlink(f"{work}/run-killed/feed.sock") if os.path.exists(f"{work}/run-killed/feed.sock") else None
        process = daemon("killed")
        state = {}

        def over():
            state.update(status_of("killed"))
            return state["erasures_working"] == 0
        good = wait_for(over)
        stop(process)
        ordered = state["erasures_done"] == 1
        left = traces("killed", "anna")
        good = good and (not left if ordered else whole("killed", "anna", sources))
        good = good and whole("killed", "berta", sources) and whole("killed", "carl", sources)
        check(good, f"kill -9 in the middle, {'done' if ordered else 'not ordered yet'}", f"{state} {left}")
        proven("killed", "it", ordered)


def test_running(sources):
    copy("backup", "live")
    config("live", ledger=work + "/apart/live")
    process = daemon("live")
    wait_for(lambda: os.path.exists(f"{work}/run-live/feed.sock"))
    status, out, err = run("live", "hold", "add", "case-3", "user:berta@canary.example", "--note", "n")
    check(status == 0, "a daemon that runs takes a hold", out + err)
    status, out, err = run("live", "erase", "user:anna@canary.example OR user:berta@canary.example", "--reason", "r", "--yes")
    check(status == 3 and "Erasure " in out and not traces("live", "anna"), "and an erasure", out + err)
    status, out, err = run("live", "hold", "release", "case-3", "--note", "n")
    check(status == 0 and not traces("live", "berta") and whole("live", "carl", sources), "and the release that ends it", out + err)
    check(process.poll() is None, "and runs on")
    stop(process)
    proven("live", "the store of a daemon that ran", True)


def test_retention_killed(sources):
    random.seed(17)
    copy("backup", "worn")
    config("worn", "  literals: 90d\n  records: 36500d\n", ledger=work + "/apart/worn")
    for i in range(5):
        process = daemon("worn")
        time.sleep(random.uniform(0.02, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = daemon("worn")
    good = wait_for(lambda: "records masked" in status_of("worn")["life"])
    stop(process)
    text = answers("worn")
    check(good and "iban-anna-canary" not in text and text.count("anna@canary.example") > 6, "kill -9 while literals are masked", status_of("worn"))
    proven("worn", "what retention masked", True)
    config("worn", "  records: 90d\n", ledger=work + "/apart/worn")
    for i in range(5):
        process = daemon("worn")
        time.sleep(random.uniform(0.02, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = daemon("worn")
    good = wait_for(lambda: run("worn", "who")[0] == 1)
    stop(process)
    text = answers("worn")  # the files of removed blocks wait for readers that may still want them
    check(good and "canary" not in text, "and while records are removed", status_of("worn"))
    proven("worn", "what retention removed", True)


def test_retention(sources):
    copy("backup", "old")
    config("old", ledger=work + "/apart/old")
    run("old", "hold", "add", "case-2", "user:berta@canary.example", "--note", "court order")
    config("old", "  literals: 90d\n", ledger=work + "/apart/old")
    process = daemon("old")
    good = wait_for(lambda: "records masked" in status_of("old")["life"])
    stop(process)
    text = answers("old")
    check(good and "iban-anna-canary" not in text and "iban-carl-canary" not in text, "literals past their age are masked", status_of("old"))
    check("anna@canary.example" in text and whole("old", "berta", sources), "who it was stays, and so does what a hold covers")
    config("old", "  records: 180d\n", ledger=work + "/apart/old")
    process = daemon("old")
    good = wait_for(lambda: "removed by age" in status_of("old")["life"])
    stop(process)
    check(good and not traces("old", "anna") and not traces("old", "carl"), "records past their age are removed")
    check(whole("old", "berta", sources), "but for what a hold covers")
    proven("old", "a store under a hold", True)
    said = import_all("old")
    proven("old", "the same, with the files again", True)
    check(not traces("old", "anna"), "and are not taken in again", said)
    status, _, err = run("old", "who")
    check("retention has removed" in err, "answers say what was removed", err)


def test_ledger(sources):
    copy("backup", "torn")
    config("torn", ledger=work + "/apart/torn")
    for person in ("anna", "berta"):
        assert run("torn", "erase", f"user:{person}@canary.example", "--reason", "r", "--yes")[0] == 0
    with open(work + "/apart/torn", "r+b") as ledger:
        ledger.seek(40)
        ledger.write(b"#")
    copy("backup", "torn")
    process = daemon("torn")
    good = wait_for(lambda: status_of("torn")["erasures_done"] == 1)
    stop(process)
    check(good and said_in_log("apart/torn, line 1: it is damaged"), "a damaged line of the ledger is named")
    check(not traces("torn", "berta") and whole("torn", "anna", sources), "and hides no other")
    check("line 1" in status_of("torn")["life"], "status shows it")


def test_evidence(_sources):
    copy("backup", "proved")
    config("proved", ledger=work + "/apart/proved")
    status, out, err = run("proved", "prove", request_id("anna", 0), "-o", work + "/before")
    leaves = sorted(int(name.split(".")[0]) for name in os.listdir(work + "/before") if name.endswith(".record"))
    check(status == 0 and len(leaves) >= 4, "there is evidence of a request with its statements", out + err)
    assert run("proved", "erase", "user:anna@canary.example", "--reason", "r", "--yes")[0] == 0
    status, out, err = run("proved", "prove", *[f"leaf:{leaf}" for leaf in leaves], "-o", work + "/after")
    salts = [name for name in os.listdir(work + "/after") if name.endswith(".salt")]
    check(status == 0 and len(salts) < len(leaves), "of what was erased there is evidence without its salt", out + err)
    for folder in ("before", "after"):
        status, out, err = run("proved", "verify", "--bundle", f"{work}/{folder}", "--json")
        check(status == 0 and '"result":"proved"' in out, f"evidence from {folder} the erasure holds", out + err)
    left = [text for text in canaries("anna") for name in os.listdir(work + "/after")
            if text.encode() in open(f"{work}/after/{name}", "rb").read()]
    check(not left, "and says nothing of the person any more", left)
    process = daemon("proved")
    wait_for(lambda: status_of("proved")["daemon"] == "running")
    last = status_of("proved")["records"] - 1
    status, out, err = run("proved", "prove", f"leaf:{last}", "-o", work + "/newest")
    check(status == 0, "a record that was not signed yet is waited for", out + err)
    stop(process)


def main():
    os.makedirs(work + "/apart")
    os.makedirs(work + "/no-rules")
    sources = write_sources(work)
    config("s")
    import_all("s")
    copy("s", "backup")
    assert whole("s", "anna", sources), "the sources do not come back"
    for test in (test_hold_and_erase, test_again, test_literals, test_kill, test_running, test_retention, test_retention_killed, test_ledger, test_evidence):
        test(sources)
    print(f"1..{numbers['test']}")


try:
    main()
finally:
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()
    if numbers["failed"] == 0 and sys.exc_info()[0] is None:
        shutil.rmtree(work, ignore_errors=True)
    else:
        print("# kept", work)
sys.exit(1 if numbers["failed"] else 0)
