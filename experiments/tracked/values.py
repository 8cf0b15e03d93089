"""What the files of an experiment say, as one run: params, metrics, and their points over steps."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets import objects
from datasets.dvc import keys
from datasets.pipeline_jobs import call
from experiments.tracked.files import Made, Source
from hub.jobs.jobs import Failed
from hub.lib.stores import object_store
from repos.git import read
from repos.models import Repository
from repos.place import store_of

MAX_DOCUMENT_BYTES, MAX_TABLE_BYTES = 2 * 1024**2, 8 * 1024**2
MAX_ALL_BYTES = 32 * 1024**2  # of one commit's files
MAX_POINTS = 100_000  # of one run
MAX_PARAMS, MAX_METRICS = 5_000, 5_000
MAX_KEY_CHARACTERS = 250
_CALL_BYTES = 8 * 1024**2  # of files in one call into the sandbox


@dataclass
class Values:
    """points: (key, step, time, value), time in milliseconds since 1970. final: key → (step, time, value), the number
    that stands in a file of metrics. problems: sentences about files."""

    params: dict[str, str] = field(default_factory=dict)
    points: list[tuple[str, int, int, float]] = field(default_factory=list)
    final: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.params or self.points or self.final)


def values(repository: Repository, made: Made, *, when: int) -> Values:
    """when: of the commit, for what has no time of its own. Each number counts under its name; under "path:name" where
    several files have that name, as `dvc exp show` writes it."""
    found = Values(problems=[made.problem] if made.problem else [])
    contents = _contents(repository, made.sources, found)
    answers = list(zip(contents, _read(contents), strict=True))
    for (source, _), answer in answers:
        if "problem" in answer:
            found.problems.append(f"{source.path}: {answer['problem']}.")
    params = {s.path: a["values"] for (s, _), a in answers if s.kind == "params" and "values" in a} | made.named
    found.params = {key: text for key, (text,) in _joined(params, MAX_PARAMS).items()}
    _measure(found, [(source, answer) for (source, _), answer in answers if "problem" not in answer], when)
    return found


def _measure(found: Values, answers: Sequence[tuple[Source, dict[str, Any]]], when: int) -> None:
    measured = {s.path: a["values"] for s, a in answers if s.kind == "metrics"}
    curves = {s.path: a["points"] for s, a in answers if s.kind in {"metrics", "plot"} and a.get("points")}
    last: dict[str, int] = {}
    clashes = _clashes([measured[path] for path in measured])
    plots = _clashes([each for path, each in curves.items() if path not in measured])
    for path, points_of in curves.items():
        for key, points in points_of.items():
            clash = key in (clashes if path in measured else plots)
            name = _name(path, key) if clash else key
            if not name or len(found.points) + len(points) > MAX_POINTS:
                found.problems.append(f"{path}: the points of {key[:100]} are left out; they are too many.")
                continue
            found.points += [(name, step, when if time is None else time, value) for step, value, time in points]
            last[name] = max(step for step, _, _ in points)
    for name, (value,) in _joined(measured, MAX_METRICS).items():
        found.final[name] = (last.get(name, 0), when, value)


def _joined(by_path: dict[str, dict[str, Any]], most: int) -> dict[str, tuple[Any]]:
    """name → value of all files together."""
    clashes = _clashes(list(by_path.values()))
    joined: dict[str, tuple[Any]] = {}
    for path, each in by_path.items():
        for key, value in each.items():
            name = _name(path, key) if key in clashes else key
            if name and len(joined) < most:
                joined[name] = (value,)
    return joined


def _clashes(each: Sequence[dict[str, Any]]) -> set[str]:
    counted = Counter(key for one in each for key in one)
    return {key for key, count in counted.items() if count > 1}


def _name(path: str, key: str) -> str:
    """ "" when MLflow's column cannot hold it."""
    name = f"{path}:{key}"
    return name if len(name) <= MAX_KEY_CHARACTERS else ""


# ---- bytes -------------------------------------------------------------------------------------
def _contents(repository: Repository, sources: Sequence[Source], found: Values) -> list[tuple[Source, bytes]]:
    """The bytes of those that are here and small."""
    store, left = store_of(repository), MAX_ALL_BYTES
    sizes = read.blob_sizes(store, [source.id for source in sources if source.place == "git"])
    blobs = {
        source.id: None for source in sources if source.place == "git" and sizes.get(source.id, 0) <= _most(source)
    }
    few = read.within(sizes, blobs, each_bytes=MAX_TABLE_BYTES, all_bytes=MAX_ALL_BYTES)
    git = {oid: b"".join(pieces) for oid, pieces in read.each_blob(store, sizes, few)}
    contents: list[tuple[Source, bytes]] = []
    for source in sources:
        if not source.place:
            found.problems.append(f"{source.path}: it was not pushed yet (dvc push).")
            continue
        data = git.get(source.id) if source.place == "git" else _data(repository, source)
        if data is None or len(data) > left:
            found.problems.append(f"{source.path}: it is too large to be read.")
            continue
        left -= len(data)
        contents.append((source, data))
    return contents


def _data(repository: Repository, source: Source) -> bytes | None:
    blob = objects.find(repository.pk, keys.BUCKET, source.id)
    if blob is None or blob.size > _most(source):
        return None
    return object_store().head(blob.key, blob.size) if blob.size else b""


def _most(source: Source) -> int:
    return (
        MAX_TABLE_BYTES if source.kind == "plot" or source.path.lower().endswith(("csv", "tsv")) else MAX_DOCUMENT_BYTES
    )


# ---- in the sandbox ----------------------------------------------------------------------------
def _read(contents: Sequence[tuple[Source, bytes]]) -> list[dict[str, Any]]:
    """The answer of datasets.pipelines.values for each file; one that ends its process spoils only itself."""
    answers: list[dict[str, Any]] = []
    batch: list[tuple[Source, bytes]] = []
    size = 0
    for one in contents:
        if batch and size + len(one[1]) > _CALL_BYTES:
            answers += _asked(batch)
            batch, size = [], 0
        batch.append(one)
        size += len(one[1])
    return answers + _asked(batch)


def _asked(batch: Sequence[tuple[Source, bytes]]) -> list[dict[str, Any]]:
    if not batch:
        return []
    files = [{"path": s.path, "kind": s.kind, "data": base64.b64encode(data).decode()} for s, data in batch]
    try:
        return list(call("values:read", json.dumps(files).encode()))
    except Failed:
        if len(batch) == 1:
            return [{"problem": "it takes more time or memory than this hub gives to it"}]
        middle = len(batch) // 2
        return _asked(batch[:middle]) + _asked(batch[middle:])
