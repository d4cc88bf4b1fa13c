"""payloads - the table of hostile texts, payloads.def, for Python: payloads() gives (group, bytes) in the order of the file."""
import ast
import os
import re


def payloads():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "payloads.def")
    found = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            match = re.fullmatch(r'PAYLOAD\((\w+), ("(?:[^"\\]|\\.)*"), (\d+)\)\n', line)
            if match:
                found.append((match[1], ast.literal_eval("b" + match[2].replace(r"\?", "?")) * int(match[3])))
    return found


if __name__ == "__main__":
    print(len(payloads()))
