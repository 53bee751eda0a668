#!/usr/bin/env python3
"""Puts each defect of `list.json` into a copy of the engine and requires that the tests notice.

A defect that the tests let pass is printed, and the exit status is 1.

    python3 tests/defects/run.py                    # all of them
    python3 tests/defects/run.py create repair      # those whose name has one of these words
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "defects"
LIMIT = 1200
# The quick ones first; the first that notices ends it.
PARTS = ["fire::rows", "fire::matrix", "fire::random", "processes::", "file_system::"]


def listed():
    """The defects that were asked for."""
    words = sys.argv[1:]
    defects = json.loads((ROOT / "tests" / "defects" / "list.json").read_text("utf-8"))
    return [one for one in defects if not words or any(word in one["name"] for word in words)]


def copy():
    """A copy of the project; what did not change keeps its time, so that little is compiled again."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout.decode("utf-8").split("\0")
    tree = COPY / "tree"
    for name in filter(None, names):
        source, target = ROOT / name, tree / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    return tree


def tests(tree):
    """Whether the tests under fire pass, and the first that does not."""
    # What the seeds of a kept failure say is beside the point, and would be written into the copy.
    environment = dict(os.environ, CARGO_TARGET_DIR=str(COPY / "target"), PROPTEST_DISABLE_FAILURE_PERSISTENCE="1")
    environment.setdefault("CAPOL_SHARED", str(ROOT.parent / "shared"))
    command = ["cargo", "test", "--quiet", "--test", "promises", "--no-run"]
    built = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if built.returncode != 0:
        raise SystemExit(f"it does not compile:\n{built.stderr}")
    for part in PARTS:
        try:
            ran = subprocess.run(
                ["cargo", "test", "--quiet", "--test", "promises", "--", part],
                cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT,
            )
        except subprocess.TimeoutExpired:
            return False, f"no end within {LIMIT} s in {part}"
        if ran.returncode != 0:
            failed = [line.strip() for line in ran.stdout.splitlines() if line.startswith("    ") and "::" in line]
            return False, f"{failed[0] if failed else part}"
    return True, ""


def main():
    tree = copy()
    missed = []
    for defect in listed():
        path = tree / defect["file"]
        whole = (ROOT / defect["file"]).read_text("utf-8")
        if whole.count(defect["find"]) != 1:
            raise SystemExit(f"{defect['name']}: its text is to be found {whole.count(defect['find'])} times in {defect['file']}")
        path.write_text(whole.replace(defect["find"], defect["replace"]), "utf-8")
        begun = time.monotonic()
        passed, by = tests(tree)
        path.write_text(whole, "utf-8")
        seconds = time.monotonic() - begun
        print(f"{'MISSED' if passed else 'caught'}  {defect['name']}  {seconds:.0f} s  {by}", flush=True)
        if passed:
            missed.append(defect["name"])
    print(f"{len(missed)} of {len(listed())} were missed")
    sys.exit(1 if missed else 0)


main()
