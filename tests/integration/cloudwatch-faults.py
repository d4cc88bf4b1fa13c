#!/usr/bin/env python3
"""Proves that the cloudwatch source gives every line exactly once, whatever the service does to it: faults, late lines, damaged TLS, every
kind of credentials; and that what cannot pass ends with a clear sentence and the right exit status.
usage: cloudwatch-faults.py QUERYTRAIL-SIM QUERYTRAIL-COLLECT"""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SIM, COLLECT = sys.argv[1:3]
SECRET = "sim/not+a+secret/0123456789abcdefghijklm"
ROLE = "arn:aws:iam::123456789012:role/querytrail-reader"
results = []


def check(name, condition, detail=""):
    results.append(bool(condition))
    print(f"{'ok' if condition else 'not ok'} {len(results)} - {name}", flush=True)
    if not condition:
        for line in str(detail)[:2000].splitlines():
            print("#", line)


class Scene:
    """A simulator and its folder."""

    def __init__(self, *arguments):
        self.dir = tempfile.mkdtemp(prefix="cloudwatch-faults.")
        self.process = subprocess.Popen([SIM, "--dir", self.dir + "/scene", *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = re.match(r"ready cloudwatch=(\S+)", self.process.stdout.readline()).group(1)
        self.yaml = open(self.dir + "/scene/querytrail.yaml", encoding="utf-8").read()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)
        shutil.rmtree(self.dir)

    def faults(self, *faults, **settings):
        script = json.dumps({"clear": True, "faults": faults, "settings": settings}).encode()
        urllib.request.urlopen(urllib.request.Request(self.url + "/_sim/faults", data=script, method="POST")).read()

    def expected(self):
        lines = open(self.dir + "/scene/access.log", "rb").read().split(b"\n")[:-1]
        return collections.Counter(line.decode("utf-8", "surrogateescape") for line in lines)

    def start(self, *options, replace=(), environment=None):
        path = self.dir + "/scene/run.yaml"
        text = self.yaml
        for old, new in replace:
            text, count = re.subn(old, new, text, flags=re.M)
            assert count, old
        open(path, "w", encoding="utf-8").write(text)
        variables = {"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": "/dev/null", "HOME": self.dir}
        variables.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})
        variables.update(environment or {})
        return subprocess.Popen([COLLECT, "--config", path, "--print", *options, "gateway"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=variables)

    def collect(self, **how):
        process = self.start("--once", **how)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        return process.returncode, [json.loads(line) for line in out.splitlines()], err.decode("utf-8", "replace")


def same(records, expected):
    """Every line once, byte for byte, and no key twice."""
    raws = collections.Counter(r["raw"] for r in records if r["kind"] == "request")
    keys = collections.Counter(r["key"] for r in records)
    return raws == expected and max(keys.values(), default=0) <= 1


def expect_all(scene, name, **how):
    status, records, err = scene.collect(**how)
    check(name, status == 0 and same(records, scene.expected()), f"exit {status}, {len(records)} records\n{err}")
    return err


def test_faults(scene):
    small = {"page_lines": 60}
    scene.faults(**small)
    expect_all(scene, "pages of 60 lines")
    scene.faults({"kind": "throttle", "op": "FilterLogEvents", "after": 2, "times": 4}, **small)
    err = expect_all(scene, "throttling")
    check("a failure that lasts is logged once, and its end", err.count("ThrottlingException") == 1 and
          err.count("answers again after 4") == 1, err)
    scene.faults({"kind": "bad-token", "after": 3, "times": 2}, quirks=True, duplicate=True, **small)
    expect_all(scene, "empty pages, repeated lines and refused tokens")
    for kind in ("truncate", "half-json", "reset", "html", "server-error", "misshapen", "expired", "silence"):
        scene.faults({"kind": kind, "op": "FilterLogEvents", "after": 3, "times": 1 if kind == "expired" else 2, "ms": 300}, **small)
        expect_all(scene, "in the midst of it: " + kind)
    scene.faults({"kind": "drip", "op": "FilterLogEvents", "ms": 1}, page_lines=3)
    expect_all(scene, "an answer in drips")
    scene.faults({"kind": "silence", "op": "FilterLogEvents", "after": 1, "times": 1, "ms": 3000}, **small)
    err = expect_all(scene, "a call that takes too long", replace=[("^  gateway:$", "  gateway:\n    timeout: 400ms")])
    check("its sentence says so", "cannot reach" in err and "timed out" in err.lower(), err)
    for skew_ms in (3600000, -86400000):
        scene.faults(skew_ms=skew_ms, **small)
        expect_all(scene, f"a clock that is off by {skew_ms} ms")
    scene.faults(token_life_ms=1, **small)
    expect_all(scene, "tokens that never work", replace=[("requests_per_second: 200", "requests_per_second: 1000")])


def test_refusals(scene):
    scene.faults({"kind": "denied", "op": "FilterLogEvents", "after": 1, "times": 99})
    status, _, err = scene.collect()
    check("a refusal ends with 4 and the service's words", status == 4 and "AccessDeniedException" in err, f"{status} {err}")
    scene.faults(hide_group=True)
    status, _, err = scene.collect()
    check("a group that is gone is named", status == 2 and "ResourceNotFoundException" in err and "fjordkjop-prod" in err, err)
    scene.faults()
    status, _, err = scene.collect(replace=[("endpoint: http://[^ ]*$", "endpoint: ftp://127.0.0.1/")])
    check("an endpoint that is no http URL is a fault of the configuration", status == 78, f"{status} {err}")
    status, records, err = scene.collect(replace=[("    endpoint: http://[^ ]*$", "    endpoint: http://127.0.0.1:1")])
    check("nobody there: tries again, then gives up", status == 2 and not records and "cannot reach" in err, f"{status} {err}")


def test_credentials(scene):
    scene.faults()
    no_file = [("    credentials_file: .*\n", "")]
    keys = {"AWS_ACCESS_KEY_ID": "AKIASIMULATED0000001", "AWS_SECRET_ACCESS_KEY": SECRET}
    away = [("    imds_endpoint: .*$", "    imds_endpoint: http://127.0.0.1:1")]
    expect_all(scene, "keys of the environment", replace=no_file + away, environment=keys)
    expect_all(scene, "instance metadata, version 2", replace=no_file)
    status, _, err = scene.collect(replace=no_file + away)
    check("no credentials anywhere ends with 4 and says where it looked", status == 4 and "no AWS credentials" in err, err)
    wrong = dict(keys, AWS_SECRET_ACCESS_KEY=SECRET[::-1])
    status, records, err = scene.collect(replace=no_file, environment=wrong)
    check("a wrong secret ends with 4", status == 4 and not records, f"{status} {err}")
    check("and neither key nor signature is in the log", SECRET[::-1] not in err and "Signature=" not in err, err)
    status, _, err = scene.collect(replace=no_file, environment={"AWS_ACCESS_KEY_ID": "AKIASIMULATED0000001"})
    check("an id without its secret is a fault of the configuration", status == 78, f"{status} {err}")
    config = scene.dir + "/config"
    open(config, "w", encoding="utf-8").write(
        f"[profile reader]\nrole_arn = {ROLE}\nsource_profile = default\nrole_session_name = collector\n"
        f"[profile made]\ncredential_process = /bin/sh -c 'printf %s \"$MADE\"'\n"
        f"[profile loop]\nrole_arn = {ROLE}\nsource_profile = pool\n[profile pool]\nrole_arn = {ROLE}\nsource_profile = loop\n")
    shared = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": scene.dir + "/scene/aws-credentials"}
    expect_all(scene, "a role by source_profile", replace=no_file, environment=dict(shared, AWS_PROFILE="reader"))
    made = json.dumps({"Version": 1, "AccessKeyId": keys["AWS_ACCESS_KEY_ID"], "SecretAccessKey": SECRET})
    expect_all(scene, "a credential_process", replace=no_file, environment=dict(shared, AWS_PROFILE="made", MADE=made))
    for profile, words in (("loop", "more than"), ("nobody", "nobody")):
        status, _, err = scene.collect(replace=no_file, environment=dict(shared, AWS_PROFILE=profile))
        check(f"profile {profile} is a fault of the configuration", status == 78 and words in err, f"{status} {err}")
    token = scene.dir + "/token"
    open(token, "w", encoding="utf-8").write("eyJhbGciOiJub25lIn0.simulated.\n")
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": ROLE}
    expect_all(scene, "web identity", replace=no_file, environment=web)
    open(token, "w", encoding="utf-8").write("another")
    status, _, err = scene.collect(replace=no_file, environment=web)
    check("a wrong identity token ends with 4", status == 4 and "another" not in err, f"{status} {err}")


def test_tls():
    folder = tempfile.mkdtemp(prefix="cloudwatch-tls.")
    for name, subject in (("good", "IP:127.0.0.1"), ("other", "DNS:logs.example.com")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=simulated", "-addext",
                        "subjectAltName=" + subject, "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
                       check=True, capture_output=True)
    for name in ("good", "other"):
        with Scene("--requests", "50", "--cert", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key") as scene:
            untrusted = [("^    ca_file: .*pem\n(?=(.*\n)*  database:)", "")]
            if name == "good":
                expect_all(scene, "TLS with a CA file")
                expect_all(scene, "TLS with AWS_CA_BUNDLE", replace=untrusted,
                           environment={"AWS_CA_BUNDLE": f"{folder}/good.pem"})
            status, records, err = scene.collect(replace=untrusted if name == "good" else ())
            check(("an unknown CA" if name == "good" else "a certificate of another name") + " is refused",
                  status == 78 and not records and "certificate" in err, f"{status} {err}")
    shutil.rmtree(folder)


def test_live():
    """Lines become visible one by one, a fifth of them later than the overlap; only sweeps find those."""
    with Scene("--requests", "300", "--live", "6s", "--late", "200", "--late-max", "4s") as scene:
        quick = [("settle_window: .*$", "settle_window: 1m"), ("settle_delay: .*$", "settle_delay: 5s"),
                 ("poll_interval: 250ms\n    settle", "poll_interval: 100ms\n    overlap: 500ms\n    settle")]
        process = scene.start(replace=quick)
        expected = scene.expected()
        records = []
        deadline = time.monotonic() + 25
        os.set_blocking(process.stdout.fileno(), False)
        text = b""
        while len(records) < expected.total() and time.monotonic() < deadline:
            text += process.stdout.read() or b""
            lines = text.split(b"\n")
            records += [json.loads(line) for line in lines[:-1]]
            text = lines[-1]
            time.sleep(0.05)
        time.sleep(1.5)  # two more sweeps, which must not give anything again
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
        records += [json.loads(line) for line in (text + (out or b"")).splitlines()]
        check("late lines are found by sweeps, each once", same(records, expected), f"{len(records)} of {expected.total()} {err}")
        check("SIGTERM ends it with 0", process.returncode == 0, f"{process.returncode} {err}")


def main():
    with Scene("--requests", "500") as scene:
        test_faults(scene)
        test_refusals(scene)
        test_credentials(scene)
    test_tls()
    test_live()
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


sys.exit(main())
