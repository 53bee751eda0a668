#!/usr/bin/env python3
"""Puts each defect of `list.json` into a copy of the engine and requires that the tests notice.

Everything happens in `target/defects`; the project itself is never touched. Before the defects the tests must pass
without any. A defect that they let pass is printed, and the exit status is 1.

    python3 tests/defects/run.py                    # all of them
    python3 tests/defects/run.py create repair      # those whose name has one of these words
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "defects"
TREE = COPY / "tree"
# So many seconds for one part; a test that never ends has noticed too.
LIMIT = 1200
# The quick ones first; the first that notices ends it. A defect may name its own.
PARTS = ["fire::rows", "apply::", "fire::random::lives_that", "fire::matrix", "fire::random::random", "processes::", "file_system::"]
# The samples are the same every time. What proptest keeps of a failure would be written into the copy.
ENVIRONMENT = dict(
    {"CAPOL_SHARED": str(ROOT.parent / "shared"), "CAPOL_FIRE_SEED": "1"},
    **os.environ,
    CARGO_TARGET_DIR=str(COPY / "target"),
    CARGO_TERM_COLOR="never",
    PROPTEST_DISABLE_FAILURE_PERSISTENCE="1",
)


def listed():
    """The defects that were asked for."""
    words = sys.argv[1:]
    defects = json.loads((ROOT / "tests" / "defects" / "list.json").read_text("utf-8"))
    chosen = [one for one in defects if not words or any(word in one["name"] for word in words)]
    for one in chosen:
        places = (ROOT / one["file"]).read_text("utf-8").count(one["find"])
        if places != 1:
            raise SystemExit(f"{one['name']}: its text is to be found {places} times in {one['file']}")
    if not chosen:
        raise SystemExit("no defect has such a name")
    return chosen


def copy():
    """Brings the copy up to date; what did not change keeps its time, so that little is compiled again."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout.decode("utf-8").split("\0")
    names = {name for name in names if name and (ROOT / name).is_file()}
    for name in names:
        source, target = ROOT / name, TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    for path in TREE.rglob("*"):
        if path.is_file() and str(path.relative_to(TREE)) not in names:
            path.unlink()


def build():
    """Compiles the copy; the program of its tests."""
    command = ["cargo", "test", "--test", "promises", "--no-run", "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=TREE, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise SystemExit(f"it does not compile:\n{built.stderr}")
    artifacts = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    return next(
        one["executable"] for one in artifacts
        if one.get("executable") and one["target"]["name"] == "promises"
    )


def run(program, part):
    """The tests of a part that fail; one that does not end is stopped with everything that it started."""
    with subprocess.Popen(
        [program, part], cwd=TREE, env=ENVIRONMENT, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as ran:
        try:
            output, _ = ran.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return [f"{part} (no end within {LIMIT} s)"]
        finally:
            if ran.poll() is None:
                os.killpg(ran.pid, signal.SIGKILL)
    if ran.returncode == 0:
        return []
    (COPY / "output.txt").write_text(output, "utf-8")
    lines = output.splitlines()
    failed = [line.removeprefix("test ").removesuffix(" ... FAILED") for line in lines if line.endswith(" ... FAILED")]
    if not failed:
        # With --nocapture or output of its own between name and verdict.
        failed = sorted({line.strip() for line in lines if line.startswith("    ") and "::" in line and " " not in line.strip()})
    return failed or [f"{part} (status {ran.returncode})"]


def noticed_by(parts):
    """The tests that fail on the copy as it is now: those of the first part where any do."""
    program = build()
    for part in parts:
        failed = run(program, part)
        if failed:
            return failed
    return []


def main():
    defects = listed()
    copy()
    of = lambda defect: defect.get("parts", PARTS)
    failed = noticed_by(dict.fromkeys(part for defect in defects for part in of(defect)))
    if failed:
        raise SystemExit(f"without a defect these tests fail: {', '.join(failed)}\n{(COPY / 'output.txt').read_text('utf-8')}")
    print("without a defect all pass", flush=True)
    missed = []
    for defect in defects:
        path = TREE / defect["file"]
        whole = (ROOT / defect["file"]).read_text("utf-8")
        begun = time.monotonic()
        try:
            path.write_text(whole.replace(defect["find"], defect["replace"]), "utf-8")
            failed = noticed_by(of(defect))
        finally:
            path.write_text(whole, "utf-8")
        seconds = time.monotonic() - begun
        print(f"{'caught' if failed else 'MISSED'}  {defect['name']}  {seconds:.0f} s  {', '.join(failed)}", flush=True)
        if not failed:
            missed.append(defect["name"])
    print(f"{len(missed)} of {len(defects)} were missed", flush=True)
    sys.exit(1 if missed else 0)


# A shell starts what it runs in the background with Ctrl-C ignored, and the programs under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
