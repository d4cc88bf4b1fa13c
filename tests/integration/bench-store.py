#!/usr/bin/python3
"""Proves: ./dev bench store writes its data set, querytrail takes it in and gives it back byte for byte, and querytrail and SQLite answer
each question alike; a second run finds the set that the first wrote. Speaks TAP. bench-store.py BUILD"""
import json
import os
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "store.py")
numbers = {"id": 0}


def check(name, good, more=""):
    numbers["id"] += 1
    print(f"{'ok' if good else 'not ok'} {numbers['id']} - {name}")
    if not good:
        print("\n".join("# " + line for line in str(more).splitlines()[-30:]))


with tempfile.TemporaryDirectory() as work:
    env = {**os.environ, "TMPDIR": work}

    def bench(*arguments):
        return subprocess.run([sys.executable, program, build, "--requests", "400", *arguments], env=env, capture_output=True, text=True,
                              check=False)

    run = bench("--peers", "querytrail", "sqlite", "--json", work + "/figures.json")
    check("it runs, and export --raw is what went in", run.returncode == 0, run.stderr)
    figures = {}
    if run.returncode == 0:
        with open(work + "/figures.json", encoding="utf-8") as file:
            figures = json.load(file)
    results = figures.get("results", {})
    ours, theirs = results.get("querytrail", {}), results.get("sqlite", {})
    check("both were loaded with all events", ours.get("events", 0) == theirs.get("events", 1) == figures["floor"]["events"] > 1500, results)
    asked = [key for key in ours if key in theirs and isinstance(ours[key], dict)]
    check("both answered the same questions", len(asked) >= 6, asked)
    check("and gave the same answers", "DIFFERENT" not in run.stdout, run.stdout)
    check("a literal of one statement is found once", ours.get("once", {}).get("rows") == 1, ours)
    check("the table has a row of bytes and the floor", "| bytes per event" in run.stdout and "entropy floor:" in run.stdout, run.stdout)
    check("nothing is left but the set", os.listdir(work) == ["querytrail-bench-400-1"] or
          sorted(os.listdir(work)) == ["figures.json", "querytrail-bench-400-1"], os.listdir(work))
    again = bench("--peers", "zstd")
    check("a second run does not write the set again", again.returncode == 0 and "writing" not in again.stderr, again.stderr)
print(f"1..{numbers['id']}")
