#!/usr/bin/python3
"""The store beside others: one data set, the same questions, one table.

usage: store.py BUILD [--full | --requests N] [--seed N] [--days N] [--peers NAME..] [--rules] [--keep FOLDER] [--json FILE]
                [--beside FILE]

Writes the data set of bench-world (100,000 requests without an option, 2,000,000 with --full) into $TMPDIR/querytrail-bench-N-SEED, where
the next run finds it, loads it into querytrail and the peers, asks them the same, cold (pages dropped) and warm, and prints a table in
Markdown. --peers names the columns that are wanted: querytrail sqlite duckdb parquet clickhouse zstd. A peer that can't be had is said and
left out. --days 12 --full gives querytrail 105 million events. querytrail runs without rules, as its peers do, but with --rules."""
import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from storepeers import ClickHouse, DuckDB, Missing, Parquet, Querytrail, SQLite, Zstd  # noqa: E402  pylint: disable=wrong-import-position

VERSION = 1  # WORLD_VERSION of tests/bench/world.h: another one is written anew
COLUMNS = {"querytrail": Querytrail, "sqlite": SQLite, "duckdb": DuckDB, "parquet": Parquet, "clickhouse": ClickHouse, "zstd": Zstd}
QUESTIONS = [
    ("id", "request id: the request and its statements"),
    ("user_requests", "a frequent user's requests"),
    ("user_statements", "a frequent user's statements (join)"),
    ("typical_statements", "a typical user's statements (join)"),
    ("once", "literal in the text, 1 statement"),
    ("many", "literal in the text, many statements, counted"),
    ("regex", "regular expression in the text, counted"),
    ("requests_by_route", "requests by route"),
    ("statements_by_route", "statements by route (join)"),
    ("statements_by_user", "statements by user (join)"),
]


# what the floor knows by its draws, and the columns that hold it
LITERALS = ["int", "customer", "order", "money", "date", "email", "name", "timestamp", "text", "guid"]
SAME = [
    (["requestId"], ["request request_id"]),
    (["extendedRequestId"], ["request extended_request_id"]),
    (["integrationRequestId"], ["request lambda_request_id"]),
    (["requestTimeEpoch", "event_time"], ["times"]),
    (["resourcePath"], ["request route", "request method"]),
    (["path"], ["request path"]),
    (["email", "sourceIp", "userAgent", "drawn_tables"], ["request user", "request (principalId)", "request source_ip", "request user_agent"]),
    (["status"], ["request status", "request integration_status"]),
    (["responseLength"], ["request response_bytes"]),
    (["latency"], ["request latency_ms", "request (integrationLatency)"]),
    (["rows_of_request"], ["parents"]),
    (["session_id"], ["statement session_id", "statement connection_id", "statement client_ip", "statement host"]),
    (["duration_milliseconds"], ["statement duration_ms"]),
    (["response_rows"], ["statement (response_rows)", "statement rows"]),
    (["transaction_id"], ["statement transaction_id"]),
    (["succeeded"], ["statement succeeded"]),
    (["template_without_request", *("literal." + name for name in LITERALS)], ["statement statement"]),
]


class Set:
    """The data set's files and what bench-world says about them."""

    def __init__(self, build, requests, seed):
        self.folder = os.path.join(tempfile.gettempdir(), f"querytrail-bench-{requests}-{seed}")
        self.access, self.audit = self.folder + "/access.jsonl", self.folder + "/audit.jsonl"
        if not self.read(requests):
            print(f"writing {self.folder}", file=sys.stderr)
            subprocess.run([build + "/tests/bench/bench-world", "--requests", str(requests), "--seed", str(seed), self.folder],
                           check=True, stdout=sys.stderr)
            if not self.read(requests):
                sys.exit(f"{self.folder} is not what bench-world should have written")

    def read(self, requests):
        try:
            with open(self.folder + "/floor.json", encoding="utf-8") as file:
                self.floor = json.load(file)
            self.raw = os.path.getsize(self.access) + os.path.getsize(self.audit)
        except (OSError, ValueError):
            return False
        self.events = self.floor["events"]
        return self.floor.get("version") == VERSION and self.floor["requests"] == requests and self.raw == self.floor["access_bytes"] + self.floor["audit_bytes"]


def measure(column, data):
    """All figures of one column; prints what it does."""
    print(f"{column.name}: loading", file=sys.stderr)
    figures = column.load(data)
    for key, _ in QUESTIONS:
        answer = column.ask(key, data.floor)
        if answer:
            figures[key] = answer
            print(f"{column.name}: {key} {answer['rows']} rows, sum {answer['sum']}, cold {answer['cold']:.2f} ms, "
                  f"warm {answer['warm']:.2f} ms", file=sys.stderr)
    column.look_inside(figures, data)
    return figures


def compare(results):
    """Columns that answer a question differently; the first one that answers is right."""
    wrong = []
    for key, label in QUESTIONS:
        answers = [(name, figures[key]) for name, figures in results.items() if key in figures]
        for name, answer in answers[1:]:
            first = answers[0][1]
            for what in ("rows", "sum"):
                if None not in (answer[what], first[what]) and answer[what] != first[what]:
                    wrong.append(f"{label}: {what} {first[what]} for {answers[0][0]}, {answer[what]} for {name}")
    return wrong


def ms(value):
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def table(results, data):
    rows = [["", *results]]

    def row(label, text):
        rows.append([label, *[text(figures) for figures in results.values()]])

    row("bytes per event", lambda f: f"{f['bytes'] / f['events']:.1f}")
    row("ratio to the JSON lines", lambda f: f"{f['raw'] / f['bytes']:.1f}")
    row("load, events/s of one core", lambda f: f"{f['events'] / f['cpu_s']:,.0f}")
    row("load, seconds by the clock", lambda f: f"{f['wall_s']:.1f}")
    row("load, peak MiB of the largest process", lambda f: f"{f['peak_kib'] / 1024:,.0f}")
    for key, label in QUESTIONS:
        if any(key in f for f in results.values()):
            hits = [f[key] for f in results.values() if key in f]
            rows_found = next((hit["rows"] for hit in hits if hit["rows"] is not None), None)
            total = next((hit["sum"] for hit in hits if hit["sum"] is not None), None)
            label += f"; {total:,}" if rows_found in (1, None) and total is not None else f"; {rows_found or 0:,} rows"
            row(label + ", cold / warm ms", lambda f, k=key: f"{ms(f[k]['cold'])} / {ms(f[k]['warm'])}" if k in f else "-")
    row("questions, peak MiB", lambda f: f"{max((f[k]['peak_kib'] for k, _ in QUESTIONS if k in f), default=0) / 1024:,.0f}")
    widths = [max(len(line[i]) for line in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def inside_table(inside, data):
    """Where the bytes of the sealed blocks are, and how long ids take within one process."""
    lines = []
    if "audit_gb_per_cpu_s" in inside:
        lines.append("literal in the text, 1 statement: "
                     f"{inside['audit_gb_per_cpu_s']:.1f} GB/s of the rows' JSON lines per core, process start included")
    for search in inside.get("search", []):
        rows = data.floor["audit_bytes"] / 1e6
        lines.append(f"{search['filter']}: {search['rows']:,} statements, in process, blocks opened anew: {search['cold_ms']:.0f} ms cold, "
                     f"{search['warm_cpu_ms']:.0f} ms of CPU warm: {search['warm_gb_per_cpu_s']:.1f} GB/s of the statements' texts, "
                     f"{rows / search['warm_cpu_ms']:.1f} GB/s of the rows' JSON lines; peak {search['peak_kib'] / 1024:.0f} MiB")
    for name in ("find", "find_days"):
        if name in inside:
            find = inside[name]["again"]
            lines.append(f"ids found with their records within one process, {inside[name]['events']:,} events, warm: p50 {find['p50_us']:.0f} us, "
                         f"p99 {find['p99_us']:.0f} us ({find['ids']:,} ids, {find['records']:,} records)")
    if "show_days_ms" in inside:
        lines.append(f"show ID as a command over them: {ms(inside['show_days_ms'])} ms; {inside['bytes_days'] / inside['find_days']['events']:.2f} "
                     f"B/event, imported at {inside['events_per_cpu_s_days']:,.0f} events/s of one core")
    columns = inside.get("columns", {}).get("columns", {})
    if columns:
        blocks = inside["columns"]
        lines += [f"sealed blocks: {blocks['blocks']:,} with {blocks['rows']:,} records, {blocks['file_bytes']:,} B, "
                  f"{blocks['file_bytes'] / data.events:.2f} B/event", "", "| column | stored, B/event | values |", "|---|---|---|"]
        lines += [f"| {name} | {stored / data.events:.3f} | {values:,} |"
                  for name, (stored, values) in sorted(columns.items(), key=lambda pair: -pair[1][0])]
        lines += ["", *distance_table(columns, data.floor["bits"], data)]
    return "\n".join(lines)


def distance_table(columns, bits, data):
    """Per field: what is stored beside what no coder goes below. What no draw decides has the floor 0."""
    left, free = dict(columns), dict(bits)
    lines = ["| what a draw decides | floor, B/event | stored, B/event | over it |", "|---|---|---|---|"]

    def line(names, stored, floor):
        over = f"{100 * (stored / floor - 1):.0f} %" if floor else ""
        lines.append(f"| {names} | {floor / data.events:.3f} | {stored / data.events:.3f} | {over} |")

    for drawn, names in SAME:
        mine = [name for name in names if name in left]
        floor = sum(free.pop(name) for name in drawn) / 8
        label = "texts of statements" if "literal.int" in drawn else " and ".join(drawn)
        line(label.replace("drawn_tables", "tables of users and the like"), sum(left.pop(name)[0] for name in mine), floor)
    line("everything else", sum(stored for stored, _ in left.values()), sum(free.values()) / 8)
    return lines


def floor_table(figures, data):
    """The floor, and how far the store is above it."""
    floor, bits = data.floor["floor_bytes"], data.floor["bits"]
    lines = [f"entropy floor: {floor:,} B, {data.floor['floor_bytes_per_event']:.2f} B/event, of which drawn tables "
             f"{bits['drawn_tables'] / 8:,.0f} B"]
    if figures:
        lines.append(f"querytrail: {figures['bytes']:,} B, {figures['bytes'] / data.events:.2f} B/event, "
                     f"{100 * (figures['bytes'] / floor - 1):.0f} % over the floor")
    lines += ["", "| what a draw decides | floor, B/event | B/request |", "|---|---|---|"]
    for field, value in sorted(bits.items(), key=lambda pair: -pair[1]):
        lines.append(f"| {field} | {value / 8 / data.events:.3f} | {value / 8 / data.floor['requests']:.3f} |")
    return "\n".join(lines)


def machine():
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    return f"{model}, {len(os.sched_getaffinity(0))} cores"


def main():
    parser = argparse.ArgumentParser(prog="./dev bench store", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="2,000,000 requests, 8.8 million events, 8.6 GB")
    size.add_argument("--requests", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", nargs="+", choices=list(COLUMNS), default=list(COLUMNS))
    parser.add_argument("--rules", action="store_true", help="querytrail with the rules that come with it")
    parser.add_argument("--days", type=int, default=1, help="then give querytrail so many days in all, and look up ids again")
    parser.add_argument("--keep", help="leave the stores in this folder")
    parser.add_argument("--beside", help="a file of --json: figures of peers that need not run again")
    parser.add_argument("--json", help="write the figures to this file too")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    data = Set(build, 2000000 if options.full else options.requests, options.seed)
    work = options.keep or tempfile.mkdtemp(prefix="querytrail-bench-work-")
    os.makedirs(work, exist_ok=True)
    results, started = {}, datetime.datetime.now(datetime.timezone.utc)
    try:
        for name in options.peers:
            column = None
            try:
                column = COLUMNS[name](build, work, options)
                for part in column.parts():
                    results[part.name] = measure(part, data)
            except Missing as missing:
                print(f"{name} is left out: {missing}", file=sys.stderr)
            finally:
                if column:
                    column.close()
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    if options.beside:
        with open(options.beside, encoding="utf-8") as file:
            earlier = json.load(file)
        if {**earlier["floor"], "version": 0} != {**data.floor, "version": 0}:
            sys.exit(f"{options.beside} is of another data set")
        results.update({name: figures for name, figures in earlier["results"].items() if name not in results})
    print(f"{data.events:,} events of {data.floor['requests']:,} requests, {data.raw / 1e6:,.1f} MB of JSON lines, seed {options.seed}; "
          f"{machine()}; {started:%Y-%m-%d %H:%M} UTC\n")
    print(table(results, data))
    print()
    print(floor_table(results.get("querytrail"), data))
    if results.get("querytrail", {}).get("inside"):
        print()
        print(inside_table(results["querytrail"]["inside"], data))
    for line in compare(results):
        print("DIFFERENT ANSWERS: " + line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"floor": data.floor, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
