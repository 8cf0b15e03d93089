"""Merging two lists of files of a folder, of --files entries each: `python -m bench.datamerge`.

The hub's merge (datasets.dvc.foldermerging: from the bytes of three manifests to those of the merged one and its name)
against a plain three-way merge of Python dictionaries, which reads all three with json and writes the result as DVC
does. Both run alone in a process, whose start and reading of the files is not counted; both must write the same bytes.

One file in a hundred differs on each side, one in five hundred is gone on one of them, and each adds some. Processor
seconds are compared, since they do not depend on what else runs; the best of --rounds counts. With --conflicts, one
file in ten thousand is changed on both sides, and all are decided for ours.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

BOUND_SECONDS = 4.0
ROOT = Path(__file__).resolve().parent.parent
SIDES = ("base", "ours", "theirs")
TIMED = """
import hashlib, resource, sys, time
from pathlib import Path
lists = [Path(sys.argv[1], side).read_bytes() for side in ("base", "ours", "theirs")]
began = time.process_time()
{work}
seconds = time.process_time() - began
name = hashlib.md5(data).hexdigest()
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, name, len(data))
"""
OURS = """
from datasets.dvc.foldermerging import merge_folders
began = time.process_time()
decide = lambda conflicts: {conflict.where: conflict.ours for conflict in conflicts}
data = merge_folders(*lists, decide=decide).data
"""
PLAIN = """
import json
began = time.process_time()
base, ours, theirs = ({one["relpath"]: one["md5"] for one in json.loads(each)} for each in lists)
merged = {}
for path in {**base, **ours, **theirs}:
    b, o, t = base.get(path), ours.get(path), theirs.get(path)
    value = o if o == t or t == b else t if o == b else o
    if value is not None:
        merged[path] = value
entries = [{"md5": md5, "relpath": path} for path, md5 in sorted(merged.items())]
data = json.dumps(entries, sort_keys=True).encode()
hashlib.md5(data).hexdigest()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--conflicts", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="covey-bench-") as name:
        folder = Path(name)
        write(folder, asked.files, conflicts=asked.conflicts)
        found = {"hub": [], "dictionaries": []}  # type: dict[str, list[tuple[float, int, str]]]
        for number in range(asked.rounds):  # in turns, so that both meet the same machine
            for which, work in (("hub", OURS), ("dictionaries", PLAIN)):
                found[which].append(timed(folder, work))
                print(f"round {number + 1}, {which}: {found[which][-1][0]:.2f} s CPU, {found[which][-1][1]} MB")
    written = {name for rounds in found.values() for _, _, name in rounds}
    if len(written) != 1:
        sys.exit(f"not the same list: {written}")
    best = {which: min(seconds for seconds, _, _ in rounds) for which, rounds in found.items()}
    verdict = "ok" if best["hub"] <= BOUND_SECONDS else "missed"
    print(f"hub {best['hub']:.2f} s CPU (<= {BOUND_SECONDS:.0f}: {verdict}), dictionaries {best['dictionaries']:.2f} s")
    print(f"hub / dictionaries {best['hub'] / best['dictionaries']:.2f}")


def timed(folder: Path, work: str) -> tuple[float, int, str]:
    """(CPU seconds, peak of resident memory in MB, md5 of what was written)."""
    command = [sys.executable, "-c", TIMED.replace("{work}", work), str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)
    seconds, megabytes, name, _ = done.stdout.split()
    return float(seconds), int(megabytes), name


def write(folder: Path, files: int, *, conflicts: bool) -> None:
    """Three manifests as DVC writes them."""
    for side in SIDES:
        entries = [
            {"md5": md5_of(number, side, conflicts=conflicts), "relpath": f"images/{number % 997:03}/{number:08}.jpg"}
            for number in range(files)
            if not (side == "theirs" and number % 500 == 7)
        ]
        entries += [{"md5": "a" * 32, "relpath": f"new/{side}{n}.jpg"} for n in range(files // 200) if side != "base"]
        entries.sort(key=lambda entry: entry["relpath"])
        (folder / side).write_text(json.dumps(entries, sort_keys=True))


def md5_of(number: int, side: str, *, conflicts: bool) -> str:
    changed = {"ours": number % 100 == 0, "theirs": number % 100 == 1, "base": False}[side]
    changed |= conflicts and side != "base" and number % 10_000 == 2
    return hashlib.md5(b"%d %s" % (number, side.encode() if changed else b"")).hexdigest()


if __name__ == "__main__":
    main()
