#!/usr/bin/env python3
"""file_length.py ROOT: no file of code above 400 lines, or 600 for tests. Prints those that are; exit code 1 if any."""

import os
import sys
from pathlib import Path

FOLDERS = (".ci", "agent", "bpf", "cmake", "common", "controller", "deploy", "loadgen", "proto", "tests")
# Data, not code: nobody reads them line by line.
DATA = (".json", ".xml", ".sql", ".lock", ".md", ".svg", ".html")
PRODUCT_LINES = 400
TEST_LINES = 600


def too_long(root):
    root = Path(root)
    found = []
    files = 0
    for folder in FOLDERS:
        for directory, below, names in os.walk(root / folder):
            below[:] = sorted(d for d in below if d not in ("__pycache__", "golden"))
            for path in (Path(directory) / name for name in sorted(names)):
                if path.suffix in DATA or not path.is_file():
                    continue
                files += 1
                limit = TEST_LINES if folder == "tests" else PRODUCT_LINES
                lines = path.read_bytes().count(b"\n")
                if lines > limit:
                    found.append(f"{path.relative_to(root)}: {lines} lines, at most {limit}")
    return found if files else [f"{root}: no files here"]


if __name__ == "__main__":
    long_files = too_long(sys.argv[1])
    print("\n".join(long_files) or "no file is too long")
    sys.exit(1 if long_files else 0)
