#!/usr/bin/env python3
"""Hostile texts in HTML and PDF reports stay texts, for parsers that know nothing of querytrail: report-pages.py REPORT_HOSTILE."""
import html.parser
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hostile"))
from payloads import payloads  # noqa: E402

TAGS = set("html head meta link title style body header main footer nav ol li strong p h1 h2 h3 dl dt dd div table caption colgroup col thead "
           "tbody tr th td span figure figcaption svg rect text a details summary".split())
ATTRIBUTES = set("lang charset http-equiv content name rel href class id style role viewbox x y width height font-size text-anchor".split())
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

count = 0
failed = 0


def check(good, what):
    global count, failed
    count += 1
    failed += 0 if good else 1
    print(("ok" if good else "not ok"), count, "-", what, flush=True)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.strange, self.cells, self.cell, self.texts, self.depth = [], [], None, [], 0

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.strange.append(tag)
        for name, value in attributes:
            local = name != "href" or value.startswith("#") or value == "data:,"
            plain = name != "style" or re.fullmatch(r"width:\d+\.\d%", value)
            if name not in ATTRIBUTES or not local or not plain:
                self.strange.append(tag + " " + name)
        if tag == "td":
            self.cell = ""

    def handle_endtag(self, tag):
        if tag == "td":
            self.cells.append(self.cell)
            self.cell = None

    def handle_comment(self, data):
        self.strange.append("comment")

    def handle_data(self, data):
        self.texts.append(data)
        if self.cell is not None:
            self.cell += data


def check_html(path, known):
    with open(path, "rb") as file:
        raw = file.read()
    text = raw.decode("utf-8")
    check(True, "the HTML is UTF-8")
    page = Page()
    page.feed(text)
    page.close()
    check(not page.strange, "no element or attribute but the writer's own " + str(page.strange[:5]))
    check(len(page.cells) == 3 * len(known), "each of %d payloads is one row of three cells" % len(known))
    seen = [match for match in page.texts if UNSEEN.search(match)]
    check(not seen, "nothing invisible or turning is left " + ascii(seen[:2]))
    plain = [(i, data.decode()) for i, (_, data) in enumerate(known) if re.fullmatch(rb"[\x20-\x7e]{1,1200}", data)]
    wrong = [data for i, data in plain if page.cells[3 * i + 1] != data or page.cells[3 * i + 2] != data]
    check(len(plain) > 80 and not wrong, "%d printable payloads read back as they were %s" % (len(plain), ascii(wrong[:2])))
    empty = [i for i, (_, data) in enumerate(known) if data and not page.cells[3 * i + 1]]
    check(not empty, "none vanished " + str(empty[:5]))


def check_browser(path, folder):
    for width in (360, 1024, 1920):
        run = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                              "--user-data-dir=" + os.path.join(folder, "profile"), "--enable-logging=stderr", "--window-size=%d,900" % width,
                              "--screenshot=" + os.path.join(folder, "page.png"), "file://" + path],
                             capture_output=True, timeout=150, check=False)
        said = run.stderr.decode("utf-8", "replace")
        check(run.returncode == 0 and os.path.getsize(os.path.join(folder, "page.png")) > 5000, "Chromium shows it %d pixels wide" % width)
        check("CONSOLE" not in said, "no message on its console " + ascii(re.findall(".*CONSOLE.*", said)[:1]))


def check_pdf(path, known):
    run = subprocess.run(["qpdf", "--check", path], capture_output=True, timeout=60, check=False)
    check(run.returncode == 0, "qpdf finds no fault in the PDF")
    run = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, timeout=60, check=False)
    text = run.stdout.decode("utf-8")
    check(run.returncode == 0 and run.stderr == b"", "pdftotext reads it without a complaint")
    left = UNSEEN.findall(text.replace("\f", ""))
    check(not left, "nothing invisible or turning is left " + ascii(left[:3]))
    short = [data.decode() for _, data in known if re.fullmatch(rb"[\x21-\x7e]{4,24}", data)]
    missing = [data for data in short if data not in text]
    check(len(short) > 20 and not missing, "%d short payloads are found in it %s" % (len(short), ascii(missing[:2])))
    run = subprocess.run(["pdffonts", path], capture_output=True, timeout=60, check=False)
    fonts = run.stdout.decode().splitlines()[2:]
    check(len(fonts) >= 3 and all(" yes " in font for font in fonts), "all of its %d fonts are embedded" % len(fonts))
    with open(path, "rb") as file:
        raw = file.read()
    check(not re.search(rb"/(JavaScript|JS|Launch|URI|EmbeddedFile|OpenAction)\b", raw), "it does nothing by itself")


def main():
    known = payloads()
    check(len(known) >= 200, "%d payloads" % len(known))
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for form in ("html", "pdf"):
            made[form] = os.path.join(folder, "hostile." + form)
            run = subprocess.run([sys.argv[1], form, made[form]], capture_output=True, timeout=60, check=False)
            check(run.returncode == 0, "the %s is written %s" % (form, run.stderr[-300:]))
        check_html(made["html"], known)
        check_browser(made["html"], folder)
        check_pdf(made["pdf"], known)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
