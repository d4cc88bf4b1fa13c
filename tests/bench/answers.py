#!/usr/bin/env python3
"""How quickly questions are answered from sealed blocks.

usage: answers.py BUILD [--blocks N | --full | --huge] [--store STORE]

Makes a store of synthesised blocks (tests/bench/synth.c, 36,000 events each; 28 by default, a million events in 20 s of CPU; --full: 244, 8.8 million; --huge: 2,782,
100 million, in half an hour and 2.1 GB), asks `querytrail show` for ids of each kind and `querytrail top` in fresh processes, then looks up ids within one process.
--store names one that is there already, with its ids in STORE.ids, or the place where it is left."""
import argparse
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

KINDS = ("request", "extended", "lambda", "statement", "record")
RUNS = 9


def run(command, name):
    """Clock and CPU milliseconds and resident KiB of one process."""
    with open(os.devnull, "wb") as nowhere:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=nowhere, stderr=subprocess.PIPE)
        said = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{name}: {command} ended with {process.returncode}: {said}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss


def drop(store):
    """Takes the store's pages out of the machine's cache."""
    for folder, _, files in os.walk(store):
        for name in files:
            fd = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def measure(name, commands, store, rows):
    cold, warm = [], []
    for i in range(3):
        drop(store)
        cold.append(run(commands[i % len(commands)], name)[0])
    for i in range(RUNS):
        warm.append(run(commands[i % len(commands)], name))
    walls, cpus, kib = zip(*warm)
    rows.append(f"| {name} | {statistics.median(cold):.0f} | {statistics.median(walls):.1f} | {min(walls):.1f} | {statistics.median(cpus):.1f} | "
                f"{max(kib) / 1024:.0f} |")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench answers", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--blocks", type=int, default=28)
    size.add_argument("--full", action="store_const", const=244, dest="blocks", help="8.8 million events")
    size.add_argument("--huge", action="store_const", const=2782, dest="blocks", help="100 million events")
    parser.add_argument("--store")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    work = tempfile.mkdtemp(prefix="querytrail-bench-answers-")
    store = options.store or work + "/store"
    try:
        if not os.path.exists(store):
            with open(store + ".ids", "wb") as ids:
                subprocess.run([build + "/tests/bench/bench-synth", store, str(options.blocks)], stdout=ids, check=True)
        with open(store + ".ids", encoding="ascii") as ids:
            lines = [line.split() for line in ids]
        ask(build, store, lines)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def ask(build, store, lines):
    program, rows = build + "/query/querytrail", []
    dice = random.Random(1)
    chosen = {kind: dice.sample([id_ for name, id_ in lines if name == kind], RUNS) for kind in KINDS}
    for kind in KINDS:
        measure(f"show, {kind} id", [[program, "show", id_, "--store", store] for id_ in chosen[kind]], store, rows)
    for field in ("route", "user", "table"):
        measure(f"top {field}", [[program, "top", field, "--store", store]], store, rows)
    print(f"{store}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
          f"load {os.getloadavg()[0]:.1f}\n")
    print("| command, fresh process | cold ms | warm ms, median | least | CPU ms, median | peak MiB |\n|---|---|---|---|---|---|")
    print("\n".join(rows), flush=True)
    print()
    inside = build + "/tests/bench/bench-inside"
    for kinds in (("request", "extended", "lambda"), ("statement",)):
        some = [f"{name} {id_}" for name, id_ in lines if name in kinds]
        some = dice.sample(some, min(len(some), 600 if len(kinds) > 1 else 100))
        subprocess.run([inside, "lookup", store], input="\n".join(some), text=True, check=True)
    subprocess.run([inside, "filters", store], check=True)
    print(f"peak of all, MiB: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    main()
