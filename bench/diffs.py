"""Diffs of data against what their engines need at least: `python -m bench.diffs`.

- two versions of a table of --rows × 20 as Parquet, compared by a declared key: the hub's comparison, as a process of
  its sandbox runs it, against one bare DuckDB query over the same files, and against a pandas merge;
- two lists of --files entries: against the bare DuckDB join of the same Parquet, and with --dvc against `dvc diff`;
- statistics of the table: sketching against the same profile by Polars (in the clients' environment), and drift of 20
  columns from the two sketches, in milliseconds.

Processor seconds (of a process and all its children) are compared, since they hardly depend on what else runs, against
pandas wall time too; the best of --rounds counts. The peak of resident memory is of the largest process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hub.lib import sandbox
from tests.support import clients

ROOT = Path(__file__).resolve().parent.parent
# What a process of the sandbox does; bubblewrap's walls would hide its costs from us.
OURS = """
import importlib, json, sys
from pathlib import Path
function, inputs, options, folder = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
module, name = function.split(":")
made = getattr(importlib.import_module(module), name)
answer = made({k: Path(v) for k, v in inputs.items()}, Path(folder), lambda *_: None, **options)
Path(folder, "answer.json").write_text(json.dumps(answer))
"""
# 20 columns: a key, ten numbers, four whole ones, four categories, a text. One row in a hundred differs.
MAKE = """
import sys
from pathlib import Path
import numpy, pyarrow
from pyarrow import parquet
folder, rows = Path(sys.argv[1]), int(sys.argv[2])
chance = numpy.random.default_rng(1)
columns = {"id": numpy.arange(rows)}
columns |= {f"x{n}": chance.normal(n, 1 + n, rows).round(4) for n in range(10)}
columns |= {f"n{n}": chance.integers(0, 10 ** (n + 2), rows) for n in range(4)}
columns |= {f"c{n}": chance.choice([f"label {k}" for k in range(3 * (n + 1))], rows) for n in range(4)}
columns["text"] = numpy.char.add("row ", columns["n3"].astype(str))
parquet.write_table(pyarrow.table(columns), folder / "base.parquet")
some, kept = chance.random(rows) < 0.01, chance.random(rows) >= 0.002
columns["x0"] = numpy.where(some, columns["x0"] + 1, columns["x0"])
columns["c0"] = numpy.where(some, "label new", columns["c0"])
parquet.write_table(pyarrow.table({k: v[kept] for k, v in columns.items()}), folder / "head.parquet")
"""
LISTS = """
import hashlib, json, sys
from pathlib import Path
folder, count = Path(sys.argv[1]), int(sys.argv[2])
for side, salt in (("base", 0), ("head", 1)):
    entries = [{"md5": hashlib.md5(b"%d %d" % (n, salt if n % 100 == 0 else 0)).hexdigest(),
                "relpath": f"{n % 997}/{n}.png"} for n in range(count)]
    entries.sort(key=lambda entry: entry["relpath"])
    (folder / f"{side}.dir").write_text(json.dumps(entries, sort_keys=True))
"""
TABLE = """
import duckdb, sys
base, head, folder = sys.argv[1:]
con = duckdb.connect(config={"threads": "2"})
names = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM '{base}'").fetchall() if row[0] != "id"]
differs = " OR ".join(f"b.{n} IS DISTINCT FROM h.{n}" for n in names)
both = ", ".join(f'b.{n} AS "old.{n}", h.{n} AS "new.{n}"' for n in names)
con.execute(f'''COPY (SELECT coalesce(h.id, b.id) AS id, CASE WHEN b.id IS NULL THEN 'added' WHEN h.id IS NULL THEN
 'removed' ELSE 'changed' END AS status, {both} FROM '{base}' b FULL JOIN '{head}' h ON b.id = h.id
 WHERE b.id IS NULL OR h.id IS NULL OR {differs}) TO '{folder}/bare.parquet' ''')
cells = ", ".join(f'count_if("old.{n}" IS DISTINCT FROM "new.{n}")' for n in names)
print(con.execute(f"SELECT status, count(*), {cells} FROM '{folder}/bare.parquet' GROUP BY status").fetchall())
"""
PANDAS = """
import json, pandas, sys
base, head = (pandas.read_parquet(path) for path in sys.argv[1:3])
both = base.merge(head, on="id", how="outer", suffixes=("_old", "_new"), indicator="status")
matched = both["status"] == "both"
differs = pandas.DataFrame(index=both.index)
for column in base.columns.drop("id"):
    old, new = both[f"{column}_old"], both[f"{column}_new"]
    differs[column] = matched & (old != new) & ~(old.isna() & new.isna())
changed = differs.any(axis=1)
rows = both[changed | ~matched].assign(status=lambda found: found["status"].map(
    {"left_only": "removed", "right_only": "added", "both": "changed"}))
rows.to_parquet(f"{sys.argv[3]}/pandas.parquet")
counts = rows["status"].value_counts()
answer = {f"rows_{status}": int(counts.get(status, 0)) for status in ("added", "removed", "changed")}
print(json.dumps(answer | {"cells_changed": int(differs.to_numpy().sum())}))
"""
FILES = """
import duckdb, sys
base, head, folder = sys.argv[1:]
con = duckdb.connect(config={"threads": "2"})
con.execute(f'''COPY (SELECT coalesce(h.path, b.path) AS path, b.md5 AS old, h.md5 AS new FROM '{base}' b
 FULL JOIN '{head}' h ON b.path = h.path WHERE b.md5 IS DISTINCT FROM h.md5) TO '{folder}/bare.parquet' ''')
print(con.execute(f"SELECT count(*) FROM '{folder}/bare.parquet'").fetchall())
"""
POLARS = """
import polars as pl, sys
frame = pl.scan_parquet(sys.argv[1])
for name, kind in frame.collect_schema().items():
    column = frame.select(name).collect().to_series()
    if kind.is_numeric():
        values = column.drop_nulls().sort()
        values.gather([round(n * (len(values) - 1) / 256) for n in range(257)])
        print(name, column.null_count(), values.n_unique(), values.mean(), values.std())
        if values.n_unique() > 5000:
            continue
    else:
        print(name, column.null_count(), column.n_unique(), column.str.len_chars().mean())
    column.value_counts(sort=True).head(50)
"""


@dataclass(frozen=True)
class Cost:
    """cpu, wall: seconds; memory: bytes at the peak."""

    cpu: float
    wall: float
    memory: int

    def __str__(self) -> str:
        return f"{self.cpu:6.2f} s CPU {self.wall:6.2f} s wall {self.memory / 1e6:7.0f} MB"


def cost(*command: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None) -> Cost:
    """Of one process and everything it waits for. Raises SystemExit when it fails."""
    return told_cost(*command, cwd=cwd, environment=environment)[1]


def told_cost(
    *command: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> tuple[str, Cost]:
    """(what it printed, what it took)."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), cwd=cwd or ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.read().decode()
    words = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:4]} failed:\n{words.decode(errors='replace')[-2000:]}")
    return said, Cost(used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss * 1024)


def in_turn(rounds: int, *runs: Callable[[], Cost]) -> list[Cost]:
    """The best of each, one after the other in every round: what else the machine does meets them alike."""
    found = [[run() for run in runs] for _ in range(rounds)]
    return [min(costs, key=lambda one: one.cpu) for costs in zip(*found, strict=True)]


def ours(function: str, inputs: dict[str, Path], folder: Path, **options: object) -> Callable[[], Cost]:
    """Its answer is in folder/answer.json."""
    told = json.dumps({name: str(path) for name, path in inputs.items()})
    command = (sys.executable, "-c", OURS, function, told, json.dumps(options), folder)
    return partial(cost, *command, environment=sandbox.ENVIRONMENT)


def bare(program: str, *arguments: Path, python: str | Path = sys.executable) -> Callable[[], Cost]:
    return partial(cost, python, "-c", program, *arguments)


def told(what: str, hub: Cost, peer: Cost, bound: str) -> None:
    print(f"{what}: {hub.cpu / peer.cpu:.2f} (wanted {bound})\n    hub  {hub}\n    peer {peer}", flush=True)


def tables(options: argparse.Namespace, folder: Path) -> None:
    # In a process of its own: what one is measured to hold begins with what its parent held.
    subprocess.run([sys.executable, "-c", MAKE, str(folder), str(options.rows)], cwd=ROOT, check=True)
    base, head = folder / "base.parquet", folder / "head.parquet"
    inputs, names = {"base": base, "head": head}, {"base_name": base.name, "head_name": head.name}
    compare = ours("datasets.tables.diff:compare", inputs, folder, **names, key=["id"])
    hub, duckdb, pandas = in_turn(
        options.rounds, compare, bare(TABLE, base, head, folder), partial(merged, base, head, folder)
    )
    told("keyed diff / bare DuckDB", hub, duckdb, "<= 1.15")
    print(
        f"pandas merge / keyed diff: {pandas.wall / hub.wall:.1f} of wall time, {pandas.cpu / hub.cpu:.1f} of CPU "
        f"(wanted >= 4.5); / bare DuckDB {pandas.wall / duckdb.wall:.1f} and {pandas.cpu / duckdb.cpu:.1f}\n"
        f"    peer {pandas}"
    )
    polars = bare(POLARS, head, python=clients.environment("s3") / "python")
    sketches = []
    for path in (base, head):
        sketch = ours("datasets.tables.sketches:sketch", {"table": path}, folder, filename=path.name)
        hub, peer = in_turn(options.rounds, sketch, polars)
        sketches.append(json.loads((folder / "answer.json").read_text()))
    told("sketch / Polars' profile", hub, peer, "<= 1.3")
    from datasets.comparison.drift import drift

    took = []
    for _ in range(20):
        began = time.perf_counter()
        drift(*sketches)
        took.append(time.perf_counter() - began)
    print(f"drift of 20 columns: {min(took) * 1000:.1f} ms (wanted < 50)", flush=True)


def merged(base: Path, head: Path, folder: Path) -> Cost:
    """What pandas takes to give the answer that the hub gave, which it is held to."""
    said, spent = told_cost(sys.executable, "-c", PANDAS, base, head, folder)
    found, summary = json.loads(said), json.loads((folder / "answer.json").read_text())["summary"]
    assert found == {name: summary[name] for name in found}, (found, summary)
    return spent


def files(options: argparse.Namespace, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", LISTS, str(folder), str(options.files)], cwd=ROOT, check=True)
    made = {}
    for side in ("base", "head"):
        out = folder / f"manifest-{side}"
        out.mkdir()
        kept = ours("datasets.tables.entries:manifest", {"manifest": folder / f"{side}.dir"}, out)()
        print(f"manifest of {side} kept as Parquet: {kept}")
        made[out.name] = next(out.glob("*.parquet"))
    sides = {side: [[f"manifest-{side}", ""]] for side in ("base", "head")}
    compare = ours("datasets.tables.entries:compare", made, folder, **sides)
    hub, duckdb = in_turn(options.rounds, compare, bare(FILES, *made.values(), folder))
    told(f"diff of {options.files:,} files / bare DuckDB", hub, duckdb, "<= 1.15")
    if options.dvc:
        peer = dvc_diff(folder)
        print(f"dvc diff / ours: {peer.cpu / hub.cpu:.1f} (wanted >= 5)\n    peer {peer}")


def dvc_diff(folder: Path) -> Cost:
    """Of the same lists, in a project whose cache holds nothing but them."""
    project = folder / "project"
    project.mkdir()
    binaries = clients.environment("dvc")
    environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(project), "DVC_NO_ANALYTICS": "true"}
    identity = ["-c", "user.name=b", "-c", "user.email=b@example.org"]

    def run(*command: str) -> None:
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)

    run("git", "init", "-q")
    run("dvc", "init", "-q")
    for side in ("base", "head"):
        oid = hashlib.md5((folder / f"{side}.dir").read_bytes()).hexdigest()
        place = project / ".dvc" / "cache" / "files" / "md5" / oid[:2]
        place.mkdir(parents=True, exist_ok=True)
        (folder / f"{side}.dir").rename(place / f"{oid[2:]}.dir")
        (project / "data.dvc").write_text(f"outs:\n- md5: {oid}.dir\n  hash: md5\n  path: data\n")
        run("git", "add", "-A", ".")
        run("git", *identity, "commit", "-qm", side)
    return cost(binaries / "dvc", "diff", "--json", "HEAD~1", "HEAD", cwd=project, environment=environment)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--files", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--dvc", action="store_true", help="compare with `dvc diff` too: minutes")
    options.add_argument("--only", choices=["tables", "files"])
    chosen = options.parse_args()
    for name, part in (("tables", tables), ("files", files)):
        if chosen.only in {None, name}:
            with tempfile.TemporaryDirectory(prefix="bench-diffs-") as folder:
                part(chosen, Path(folder))
    return 0


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed server has its code compiled
    sys.exit(main())
