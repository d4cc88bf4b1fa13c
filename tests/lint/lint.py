#!/usr/bin/env python3
"""lint - the rules of the tree that a compiler does not know. One check is one function in CHECKS.

usage: lint.py CHECK [ROOT]     CHECK is a name from CHECKS; ROOT the top of the tree
Prints one line a finding, "file:line: text", and ends with status 1 when there was one.
"""
import os
import re
import subprocess
import sys

FOLDERS = ["base", "model", "collector", "store", "correlator", "query", "witness", "tests"]
MAY_INCLUDE = {
    "base": ["base"],
    "model": ["base", "model"],
    "collector": ["base", "model", "collector"],
    "store": ["base", "model", "store"],
    "correlator": ["base", "model", "store", "correlator"],
    "query": ["base", "model", "store", "correlator/rules", "query"],
    "witness": ["base", "witness"],
    "tests": FOLDERS,
}
# third-party headers and the only places (path prefixes) that may include them
THIRD_PARTY = {
    "libfyaml.h": ["base/yaml.c"],
    "systemd/": ["base/log.c", "base/loop.c", "base/service.c"],
    "openssl/": ["base/secret.c", "base/digest.c", "base/note.c", "correlator/notify/signature.c", "correlator/notify/anchor-timestamp.c", "collector/sources/sqlserver/", "store/log", "store/block/sealed", "tests/"],
    "sqlite3.h": ["store/", "tests/"],
    "zstd.h": ["store/block/streams", "tests/"],
    "curl/": ["collector/sources/cloudwatch/", "correlator/notify/", "tests/"],
    "jansson.h": ["collector/sources/cloudwatch/", "query/fmt-json.c", "tests/"],
    "sybdb.h": ["collector/sources/sqlserver/", "tests/"],
    "sybfront.h": ["collector/sources/sqlserver/", "tests/"],
    "zlib.h": ["collector/sources/file/", "query/report/", "tests/"],
    "libsmartcols/": ["query/fmt-table.c"],
    "microhttpd.h": ["query/serve", "witness/server.c", "tests/"],
    "pcre2.h": ["correlator/rules/", "tests/"],
    "cmocka.h": ["tests/"],
}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atof", "strtol", "strtoul", "gmtime",
          "localtime", "ctime", "asctime", "system", "popen", "alloca", "signal", "gets", "strncpy", "strncat"]
BAD_NAMES = ["util", "utils", "common", "misc", "helper", "helpers"]
PROMISES = r"\b(TODO|FIXME|XXX|HACK)\b|not implemented|for now\b|in a real "
# the few places where a process-wide state is the thing itself, with the reason
GLOBALS = {
    "base/log.c": "a program has one log",
    "collector/sources/sqlserver/dbhandler.c": "DB-Library's handlers are the process's and have no context during login",
    "collector/sources/sqlserver/hangup.c": "a signal handler has no context",
}
# functions whose parameters a library decides
SIGNATURES = {
    "tests/sim/cloudwatch.c:handle": "libmicrohttpd's access handler",
    "witness/server.c:handle": "libmicrohttpd's access handler",
    "collector/sources/sqlserver/dbhandler.c:on_message": "DB-Library's message handler",
    "collector/sources/sqlserver/dbhandler.c:on_error": "DB-Library's error handler",
}
FUNCTION_LINES, FILE_LINES, HEADER_LINES, PARAMETERS, NESTING = 70, 600, 250, 5, 4
COMPLEXITY, COMPLEXITY_WITH_REASON = 15, 20


def sources(*endings):
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    return sorted(n for n in names if n.endswith(endings) and os.path.exists(n) and n.split("/")[0] in FOLDERS)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def stripped(text):
    """The text with comments and the insides of literals blanked, lines kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)
    return pattern.sub(blank, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_includes():
    for name in sources(".c", ".h"):
        folder = name.split("/")[0]
        for number, line in enumerate(read(name).split("\n"), 1):
            quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            angled = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if quoted:
                path = quoted.group(1)
                if ".." in path or not any(path.startswith(f + "/") for f in FOLDERS):
                    yield name, number, f'"{path}" does not start at the root'
                elif not any(path.startswith(f + "/") for f in MAY_INCLUDE[folder]):
                    yield name, number, f"{folder} may not include {path}"
            elif angled:
                for header, places in THIRD_PARTY.items():
                    if angled.group(1).startswith(header) and not any(name.startswith(p) for p in places):
                        yield name, number, f"<{angled.group(1)}> belongs to {', '.join(places)} only"


def check_own_header_first():
    for name in sources(".c"):
        own = name[:-2] + ".h"
        found = re.findall(r'^#include\s+["<]([^">]+)[">]', read(name), re.M)
        if not name.startswith("tests/") and own in found and found[0] != own:
            yield name, 1, f'"{own}" should be included first'


def functions(text):
    """(first line, name, parameter text, body) of each function definition in stripped text."""
    for match in re.finditer(r"^([A-Za-z_][\w\s\*]*?[\s\*])(\w+)\(([^;{}]*?)\)\s*\n\{\n(.*?)^\}", text, re.M | re.S):
        yield line_of(text, match.start(2)), match.group(2), match.group(3), match.group(4)


def check_functions():
    for name in sources(".c"):
        whole = read(name)
        text = stripped(whole)
        for line, function, parameters, body in functions(text):
            lines = body.count("\n") + 2
            if lines > FUNCTION_LINES:
                yield name, line, f"{function} has {lines} lines; the limit is {FUNCTION_LINES}"
            count = 0 if parameters.strip() in ("", "void") else parameters.count(",") + 1
            given = f"{name}:{function}" in SIGNATURES or re.search(r"\(\s*\*", parameters)
            if count > PARAMETERS and not given:
                yield name, line, f"{function} has {count} parameters; the limit is {PARAMETERS}"
            depth = deepest = 0
            for char in body:
                depth += (char == "{") - (char == "}")
                deepest = max(deepest, depth)
            if deepest > NESTING:
                yield name, line, f"{function} nests {deepest} deep; the limit is {NESTING}"


def check_complexity():
    files = sources(".c")
    output = subprocess.run(["pmccabe"] + files, capture_output=True, text=True, check=True).stdout
    for row in output.split("\n"):
        fields = row.split("\t")
        if len(fields) < 6:
            continue
        value, line = int(fields[0]), int(fields[3])
        name, function = re.match(r"(.*)\(\d+\): (.*)", fields[5]).groups()
        above = "\n".join(read(name).split("\n")[max(0, line - 8):line])
        limit = COMPLEXITY_WITH_REASON if "complexity:" in above else COMPLEXITY
        if value > limit:
            yield name, line, f"{function} has a complexity of {value}; the limit is {limit}"


def check_file_sizes():
    for name in sources(".c", ".h"):
        lines = read(name).count("\n")
        limit = FILE_LINES if name.endswith(".c") else HEADER_LINES
        if lines > limit:
            yield name, lines, f"{lines} lines; the limit is {limit}"


def check_documented_headers():
    for name in sources(".h"):
        text = read(name)
        if not text.startswith("/* "):
            yield name, 1, "a header begins with what it is, its shape, limits, threads and source"
        lines = text.split("\n")
        depth = 0
        in_comment = in_prototype = False
        covered = False
        for number, line in enumerate(lines, 1):
            plain = line.strip()
            if in_comment or plain.startswith("/*"):
                in_comment = "*/" not in plain
                covered = True
                continue
            if plain == "" and not in_prototype:
                covered = False
                continue
            starts = depth == 0 and re.match(r"^(?!typedef|struct \w+ \{|enum|union|static inline|#|\}|extern)[A-Za-z_][\w\s\*]*\(",
                                             line)
            if starts and not in_prototype and not covered:
                yield name, number, "a prototype without a comment"
            in_prototype = bool(starts or in_prototype) and not plain.endswith(";")
            depth += line.count("{") - line.count("}")


def check_banned():
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for name in sources(".c", ".h"):
        text = stripped(read(name))
        for match in pattern.finditer(text):
            yield name, line_of(text, match.start()), f"{match.group(1)} is banned"


def check_braces():
    for name in sources(".c", ".h"):
        text = stripped(read(name))
        for match in re.finditer(r"^[ \t]*(?:\} )?(?:else )?(if|for|while|else)\b(?! if)", text, re.M):
            at = match.end()
            if match.group(1) != "else":
                start = text.find("(", at)
                depth, at = 0, start
                while at < len(text):
                    depth += (text[at] == "(") - (text[at] == ")")
                    at += 1
                    if depth == 0:
                        break
            rest = text[at:].lstrip()
            if not rest.startswith("{") and not (match.group(1) == "while" and rest.startswith(";")):
                yield name, line_of(text, match.start()), f"{match.group(1)} without braces"


def check_globals():
    pattern = re.compile(r"^(?:static\s+)?(?!static const|const|typedef|extern|return|else|_Static_assert|#)"
                         r"(?:static\s+)?(?:struct\s+\w+|union\s+\w+|enum\s+\w+|[a-z_]\w*)(?:[ \t]+|\s*\*+\s*)\w+(?:\[[^\]]*\])*\s*(?:=|;)", re.M)
    for name in sources(".c"):
        if name.endswith("main.c") or name.startswith("tests/") or name in GLOBALS:
            continue
        text = stripped(read(name))
        for match in pattern.finditer(text):
            if "const" not in match.group(0).split("=")[0]:
                yield name, line_of(text, match.start()), f"a global: {match.group(0).strip()[:60]}"


def check_names():
    for name in sources(".c", ".h", ".py", ".sh"):
        stem = os.path.splitext(os.path.basename(name))[0]
        if any(part in BAD_NAMES for part in re.split(r"[-_]", stem)):
            yield name, 1, "name the file after the noun it owns"


def check_promises():
    for name in sources(".c", ".h", ".def", ".sh", ".py", ".build"):
        if name.startswith("tests/lint/"):
            continue
        for number, line in enumerate(read(name).split("\n"), 1):
            if re.search(PROMISES, line):
                yield name, number, "a promise of later work"


def check_named_tests():
    for name in sources(".h"):
        for number, line in enumerate(read(name).split("\n"), 1):
            for test in re.findall(r"\btests/[a-z]+/[\w-]+\.(?:c|py|sh)\b", line):
                if not os.path.exists(test):
                    yield name, number, f"{test} does not exist"


def check_format():
    files = sources(".c", ".h")
    for start in range(0, len(files), 50):
        output = subprocess.run(["clang-format", "--dry-run"] + files[start:start + 50], capture_output=True, text=True,
                                check=False).stderr
        seen = set()
        for match in re.finditer(r"^(\S+?):(\d+):\d+: (?:warning|error)", output, re.M):
            if match.group(1) not in seen:
                seen.add(match.group(1))
                yield match.group(1), int(match.group(2)), "not as clang-format lays it out"


CHECKS = {name[6:].replace("_", "-"): function for name, function in list(globals().items()) if name.startswith("check_")}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        print("checks: " + " ".join(CHECKS))
        return 2
    if len(sys.argv) > 2:
        os.chdir(sys.argv[2])
    findings = 0
    for name, line, text in CHECKS[sys.argv[1]]():
        print(f"{name}:{line}: {text}")
        findings += 1
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
