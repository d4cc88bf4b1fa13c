#!/usr/bin/env python3
"""count-tests - what Meson's runs came to: a line for each test that failed, then "N passed, N failed".

usage: count-tests.py BUILD_FOLDER..
Counts test cases from meson-logs/*.junit.xml, where a program that speaks TAP has one case a test. A program that ended in
error without a failed case (a crash, a leak) counts as one failure. Ends with status 1 when anything failed or nothing ran.
"""
import glob
import os
import sys
import xml.etree.ElementTree as tree


def main():
    passed = failed = skipped = 0
    for folder in sys.argv[1:]:
        paths = sorted(glob.glob(os.path.join(folder, "meson-logs", "*.junit.xml")))
        if not paths:
            print(f"FAILED {folder}: no test ran")
            failed += 1
        for suite in (suite for path in paths for suite in tree.parse(path).getroot().iter("testsuite")):
            bad = 0
            for case in suite.iter("testcase"):
                name = f'{os.path.basename(folder)}: {suite.get("name")} {case.get("name")}'
                if case.find("failure") is not None or case.find("error") is not None:
                    print(f"FAILED {name}")
                    bad += 1
                elif case.find("skipped") is not None:
                    print(f"skipped {name}")
                    skipped += 1
                else:
                    passed += 1
            if not bad and int(suite.get("errors", 0)) + int(suite.get("failures", 0)):
                print(f'FAILED {os.path.basename(folder)}: {suite.get("name")} ended in error')
                bad = 1
            failed += bad
    failed += passed + failed == 0
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
