#!/usr/bin/env python3
"""What an import shows on a terminal: one line that is written over, never wider than the terminal, without escapes, gone at the end; nothing of it
in a file or with --quiet. An interrupted one says where it goes on, and gives the files back byte for byte. import-progress.py QUERYTRAIL"""
import fcntl
import gzip
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios

count = 0
querytrail = sys.argv[1]
work = tempfile.mkdtemp()
env = {**os.environ, "QUERYTRAIL_CONFIG": work + "/none.yaml", "TERM": "xterm"}
env.pop("QUERYTRAIL_STORE", None)


def check(good, what, told=""):
    global count
    count += 1
    print(("ok" if good else "not ok"), count, "-", what, flush=True)
    if not good and told:
        print("\n".join("# " + line for line in str(told)[:2000].splitlines()), flush=True)


def lines(first, last):
    return "".join('{"requestId":"r-%d","extendedRequestId":"X%d=","requestTimeEpoch":"%d","routeKey":"GET /a","status":"200"}\n'
                   % (n, n, 1795305600000 + n) for n in range(first, last)).encode()


def command(store, files, *more):
    return [querytrail, "import", "--store", work + "/" + store, "--source", "api", "--type", "access-log", *more, *files]


def on_terminal(words, width, interrupt=None, environment=None):
    """Runs a command on a terminal of so many columns; interrupt: a pattern behind which it gets SIGINT. What it wrote, and its status."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        os.execve(words[0], words, environment or env)
    said = b""
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
        if interrupt and re.search(interrupt, said):
            os.kill(pid, signal.SIGINT)
            interrupt = None
    return said.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def shown(said):
    """What stands on the screen at the end, and each state of the line that was written over."""
    states, kept = [], []
    for line in said.replace("\r\n", "\n").split("\n"):
        parts = line.split("\r")
        states += [part for part in parts[:-1] if part.strip()]
        screen = ""
        for part in parts:
            screen = part + screen[len(part):]
        kept.append(screen.rstrip())
    return kept, states


def export(store):
    return subprocess.run([querytrail, "export", "--raw", "--source", "api", "--store", work + "/" + store], env=env,
                          stdout=subprocess.PIPE, check=False).stdout


def main():
    plain, packed = work + "/a.jsonl", work + "/b.jsonl.gz"
    with open(plain, "wb") as file:
        file.write(lines(0, 40000))
    with open(packed, "wb") as file:
        file.write(gzip.compress(lines(40000, 90000)))
    whole = lines(0, 90000)
    small, rest = work + "/c.jsonl", work + "/d.jsonl"
    for path, first in (small, 0), (rest, 10000):
        with open(path, "wb") as file:
            file.write(lines(first, first + 10000))

    for width in (100, 40, 12, 5):  # on 5 columns some states are too wide to be shown, and are none of what stays
        files, records = ([plain, packed], 90000) if width == 100 else ([small, rest], 20000)
        said, status = on_terminal(command("w%d" % width, files), width)
        kept, states = shown(said)
        check(status == 0, "an import on %d columns" % width, said)
        check("\x1b" not in said, "without escapes")
        check(bool(states) and max(map(len, states)) < width, "its line is written over and fits", states)
        check(kept[0].startswith("api: 2 files, %d records: %d new, 0 already there, 0 rejected" % (records, records)), "and is gone at the end", kept)
        if width == 100:
            check(any(re.match(r"reading  \[#*-*\]  \d+ %  file 2 of 2  [\d.]+ [kM]B of [\d.]+ MB  \d+ records", state) for state in states),
                  "it tells bytes, file and records", states)
            check(any(state.startswith(("joining", "sealing")) for state in states), "and what comes after reading", states)
            check(any(line.startswith("the store: ") and line.endswith(" in all") for line in kept), "the store is summed up", kept)

    said, status = on_terminal(command("w40", [small, rest]), 100)
    kept, _ = shown(said)
    check(status == 0 and "api: 2 files, 20000 records: 0 new, 20000 already there, 0 rejected" in kept[0], "a second import adds nothing", said)

    for name, words, environment in (("--quiet", ["--quiet"], env), ("--no-color", ["--no-color"], env), ("TERM=dumb", [], {**env, "TERM": "dumb"}),
                                     ("NO_COLOR", [], {**env, "NO_COLOR": "1"})):
        said, status = on_terminal(command("w40", [small], *words), 80, environment=environment)
        check(status == 0 and "\x1b" not in said, "no escapes with " + name, said)
        if name == "--quiet":
            check("reading" not in said, "no progress with --quiet", said)
    done = subprocess.run(command("w40", [small]), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
    check(b"reading" not in done and b"\r" not in done, "no progress without a terminal", done)

    said, status = on_terminal(command("torn", [plain, packed]), 100, interrupt=rb"file 2 of 2")
    kept, _ = shown(said)
    check(status == 2 and any("interrupted; what was committed stays" in line for line in kept), "an interrupted import says so", said)
    said, status = on_terminal(command("torn", [plain, packed]), 100)
    kept, states = shown(said)
    check(status == 0 and re.search(r"going on in .*/b\.jsonl\.gz \(file 2 of 2\) behind [\d.]+ [kM]?B unpacked: an import of these files was interrupted",
                                    kept[0]) is not None, "the next one says where it goes on", said)
    check(export("torn") == whole, "and nothing is missing or double")

    on_terminal(command("changed", [plain, packed]), 100, interrupt=rb"file 2 of 2")
    os.utime(plain)
    said, status = on_terminal(command("changed", [plain, packed]), 100)
    check(status == 0 and "going on" not in said, "files that changed since are read from their beginning", said)
    check(export("changed") == whole, "and nothing is missing or double there either")


try:
    main()
finally:
    shutil.rmtree(work)
print("1..%d" % count)
