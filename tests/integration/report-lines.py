#!/usr/bin/env python3
"""Hostile texts in CSV, JSON lines and Markdown reports stay texts, for parsers that know nothing of querytrail: Python's json and csv, and
cmark-gfm with all its extensions. report-lines.py REPORT_HOSTILE"""
import base64
import csv
import html.parser
import io
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hostile"))
from payloads import payloads  # noqa: E402

UNSEEN = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028-\u202e\u2066-\u2069]")  # what JSON lines write as \\u
ACTS = re.compile(r"[ \t\r\n\v\f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
TAGS = set("h1 h2 h3 p table thead tbody tr th td strong em a ul li hr code".split())

count = 0


def check(good, what):
    global count
    count += 1
    print(("ok" if good else "not ok"), count, "-", what, flush=True)


def bytes_of(value):
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return value.encode("utf-8", "surrogatepass")


def check_jsonl(raw, known):
    lines = raw.decode("utf-8").split("\n")
    check(lines.pop() == "", "the last line ends")
    check(not any(OBEYED.search(line) for line in lines), "nothing invisible or turning is left in the lines")
    records = [json.loads(line) for line in lines]
    rows = [record["cells"] for record in records if record["record"] == "row"]
    check(len(rows) == len(known), "each of %d payloads is one row" % len(known))
    wrong = [data for row, (_, data) in zip(rows, known) if bytes_of(row["prose"]) != data or bytes_of(row["code"]) != data]
    check(not wrong, "all of them read back byte for byte " + ascii(wrong[:2]))
    facts = [record["facts"][0]["text"] for record in records if record["record"] == "facts"]
    bars = [record["bars"][0]["label"] for record in records if record["record"] == "chart"]
    wrong = [data for fact, bar, (_, data) in zip(facts, bars, known) if bytes_of(fact) != data or bytes_of(bar) != data]
    check(len(facts) == len(bars) == len(known) and not wrong, "so do facts and bars " + ascii(wrong[:2]))
    check(records[-1] == {"record": "end", "tables": len(known), "rows": len(known)}, "the end counts them")


def check_csv(raw, known):
    text = raw.decode("utf-8")
    check(not UNSEEN.search(text), "nothing invisible or turning is left")
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    rows = [line for line in lines if line[0] == "row"]
    check(len(rows) == len(known), "each of %d payloads is one row" % len(known))
    check(all(len(row) == 6 for row in rows), "each row has its six cells")
    same = [data for row, (_, data) in zip(rows, known) if row[5] == "" and (row[3].encode() != data or row[4].encode() != data)]
    check(not same, "what is not marked as changed is as it was " + ascii(same[:2]))
    marked = [row for row in rows if row[5] != ""]
    check(len(marked) > 50 and all(row[5] == "prose code" for row in marked), "%d rows are marked" % len(marked))
    acting = [cell for line in lines for cell in line if ACTS.match(cell) and not re.fullmatch(r"-?[0-9]+", cell)]
    check(not acting, "no cell could be taken for a formula " + ascii(acting[:2]))
    check(lines[-1] == ["end", str(len(known))], "the end counts them")


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.strange, self.rows, self.cell, self.in_code = [], [], None, False

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.strange.append(tag)
        for name, value in attributes:
            if (tag, name) not in (("a", "id"), ("td", "align"), ("th", "align")) or (tag == "a" and value != "payload"):
                self.strange.append(tag + " " + name + "=" + value)
        self.in_code = self.in_code or tag == "code"
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.cell = ""

    def handle_endtag(self, tag):
        self.in_code = self.in_code and tag != "code"
        if tag == "td":
            self.rows[-1].append(self.cell)
            self.cell = None

    def handle_comment(self, data):
        self.strange.append("comment")

    def handle_data(self, data):
        if self.in_code and not re.fullmatch("[A-Za-z0-9.+_-]*@[A-Za-z0-9.+_-]*", data):
            self.strange.append("code " + data)
        if self.cell is not None:
            self.cell += data


def check_md(path, known):
    run = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist", "-e", "footnotes",
                          path], capture_output=True, timeout=60, check=False)
    check(run.returncode == 0, "cmark-gfm reads it")
    page = Page()
    page.feed(run.stdout.decode("utf-8"))
    page.close()
    check(not page.strange, "no element but the writer's own " + ascii(page.strange[:5]))
    rows = [row for row in page.rows if len(row) == 3 and re.fullmatch("[0-9]+", row[0])]
    check([int(row[0].replace(",", "")) for row in rows] == list(range(len(known))), "each of %d payloads is one row" % len(known))
    check(not any(UNSEEN.search(cell) for row in rows for cell in row), "nothing invisible or turning is left")
    plain = [(row, data.decode()) for row, (_, data) in zip(rows, known) if re.fullmatch(rb"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", data)]
    wrong = [data for row, data in plain if row[1] != data or row[2] != data]
    check(len(plain) > 80 and not wrong, "%d printable payloads read back as they were %s" % (len(plain), ascii(wrong[:2])))


def main():
    known = payloads()
    check(len(known) >= 200, "%d payloads" % len(known))
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for form in ("jsonl", "csv", "md"):
            made[form] = os.path.join(folder, "hostile." + form)
            run = subprocess.run([sys.argv[1], form, made[form]], capture_output=True, timeout=60, check=False)
            check(run.returncode == 0, "the %s is written %s" % (form, run.stderr[-300:]))
        with open(made["jsonl"], "rb") as file:
            check_jsonl(file.read(), known)
        with open(made["csv"], "rb") as file:
            check_csv(file.read(), known)
        check_md(made["md"], known)
    print("1..%d" % count)


main()
