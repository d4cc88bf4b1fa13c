#!/usr/bin/env python3
"""selftest - each lint check finds the mistake that it is there for, and passes a clean tree."""
import os
import subprocess
import sys
import tempfile

LINT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lint.py")
FORMAT = os.path.join(os.path.dirname(LINT), "..", "..", ".clang-format")

CLEAN = {
    "base/thing.h": "/* thing - a thing. */\n\n/* Does it. */\nint thing_do(int a);\n",
    "base/thing.c": '#include "base/thing.h"\n\nint thing_do(int a)\n{\n\tif (a) {\n\t\treturn 1;\n\t}\n\treturn 0;\n}\n',
}

def body(line, count):
    return "int f(int a)\n{\n" + line * count + "\treturn a;\n}\n"

# check: the file, its text
WRONG = {
    "includes": ("base/bad.c", '#include "model/record.h"\n'),
    "own-header-first": ("base/thing.c", '#include <stdio.h>\n\n#include "base/thing.h"\n'),
    "functions": ("base/bad.c", body("\ta++;\n", 80)),
    "complexity": ("base/bad.c", body("\tif (a) {\n\t\ta++;\n\t}\n", 16)),
    "file-sizes": ("base/bad.c", "/* */\n" * 601),
    "documented-headers": ("base/bad.h", "/* bad - x. */\n\nint bad_do(int a);\n"),
    "banned": ("base/bad.c", "int f(char *a)\n{\n\treturn atoi(a);\n}\n"),
    "braces": ("base/bad.c", "int f(int a)\n{\n\tif (a)\n\t\treturn 1;\n\treturn 0;\n}\n"),
    "globals": ("base/bad.c", "static int counter = 0;\n"),
    "names": ("base/util.c", "/* x */\n"),
    "promises": ("base/bad.c", "/* TO" + "DO */\n"),
    "named-tests": ("base/bad.h", "/* bad - x. Tests: tests/unit/nowhere.c */\n"),
    "format": ("base/bad.c", "int f(int a) { return a; }\n"),
}
ALSO_WRONG = [
    ("includes", "query/bad.c", '#include "../base/thing.h"\n'),
    ("includes", "model/bad.c", "#include <sqlite3.h>\n"),
    ("functions", "base/bad.c", "int f(int a, int b, int c, int d, int e, int g)\n{\n\treturn a;\n}\n"),
    ("functions", "base/bad.c", "int f(int a)\n{\n" + "\tif (a) {\n" * 5 + "\t}\n" * 5 + "\treturn a;\n}\n"),
    ("braces", "base/bad.c", "int f(int a)\n{\n\tif (a) {\n\t\ta++;\n\t} else\n\t\ta--;\n\treturn a;\n}\n"),
    ("documented-headers", "base/bad.h", "int bad_do(int a);\n"),
]


def run(check, files):
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["git", "init", "-q", root], check=True)
        for name, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        with open(FORMAT, encoding="utf-8") as layout, open(os.path.join(root, ".clang-format"), "w", encoding="utf-8") as copy:
            copy.write(layout.read())
        return subprocess.run([LINT, check, root], capture_output=True, text=True, check=False)


def main():
    known = subprocess.run([LINT], capture_output=True, text=True, check=False).stdout.split()[1:]
    cases = [(check, None, None, 0) for check in known]
    cases += [(check, *WRONG.get(check, ("", "")), 1) for check in known]
    cases += [(*case, 1) for case in ALSO_WRONG]
    print(f"1..{len(cases)}")
    failed = 0
    for number, (check, name, text, want) in enumerate(cases, 1):
        files = dict(CLEAN)
        if name is not None:
            files[name] = text
        result = run(check, files)
        good = result.returncode == want
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {check} {'finds' if want else 'passes'} {name or 'a clean tree'}")
        if not good:
            print(result.stdout + result.stderr, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
