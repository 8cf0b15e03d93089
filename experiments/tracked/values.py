"""What the files of an experiment say, as one run: params, metrics, and their points over steps."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets import objects
from datasets.dvc import keys
from datasets.stages.jobs import call
from experiments.tracked.commits import TABLES
from experiments.tracked.declared import Beat
from experiments.tracked.files import Made, Source
from hub.jobs.jobs import Failed
from hub.lib.stores import object_store
from repos.git import read
from repos.models import Repository
from repos.place import store_of

MAX_DOCUMENT_BYTES, MAX_TABLE_BYTES = 2 * 1024**2, 8 * 1024**2
MAX_POINTS = 100_000  # of one run
MAX_PARAMS, MAX_METRICS = 5_000, 5_000
MAX_KEY_CHARACTERS = 250
_CALL_BYTES = 4 * 1024**2  # of files in one call into the sandbox, and the file that exceeds it
_BATCH_BYTES, _BATCH_COMMITS = 8 * 1024**2, 50


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


class Reading:
    """The files of many commits, read a batch of commits at a time: few gits, few processes of the sandbox."""

    def __init__(self, repository: Repository, mades: Sequence[Made], beat: Beat) -> None:
        self.repository, self.store, self.beat = repository, store_of(repository), beat
        ids = {source.id for made in mades for source in made.sources if source.place == "git"}
        self.sizes = read.blob_sizes(self.store, sorted(ids))
        self.answers: dict[Source, dict[str, Any]] = {}

    def batches(self, mades: Sequence[Made]) -> Iterator[list[Made]]:
        """These in their order, each batch read before it is given out."""
        batch: list[Made] = []
        size = 0
        for made in mades:
            more = sum(self.sizes.get(source.id, MAX_DOCUMENT_BYTES) for source in made.sources)
            if batch and (size + more > _BATCH_BYTES or len(batch) == _BATCH_COMMITS):
                yield self._prepared(batch)
                batch, size = [], 0
            batch.append(made)
            size += more
        if batch:
            yield self._prepared(batch)

    def values(self, made: Made, *, when: int) -> Values:
        """when: of the commit, for what has no time of its own. Each number counts under its name; under "path:name"
        where several files have that name, as `dvc exp show` writes it."""
        found = Values(problems=[made.problem] if made.problem else [])
        answers = [(source, self.answers[source]) for source in made.sources]
        found.problems += [f"{source.path}: {answer['problem']}." for source, answer in answers if "problem" in answer]
        params = {s.path: a["values"] for s, a in answers if s.kind == "params" and "values" in a} | made.named
        found.params = {key: text for key, (text,) in _joined(params, MAX_PARAMS).items()}
        _measure(found, [(source, answer) for source, answer in answers if "problem" not in answer], when)
        return found

    def _prepared(self, batch: list[Made]) -> list[Made]:
        """Read what these are made of, as far as it was not read for the batch before."""
        wanted = dict.fromkeys(source for made in batch for source in made.sources)
        self.answers = {source: answer for source, answer in self.answers.items() if source in wanted}
        contents: list[tuple[Source, bytes]] = []
        for source, data in self._contents([source for source in wanted if source not in self.answers]):
            contents.append((source, data))
            if sum(len(each) for _, each in contents) > _CALL_BYTES:
                self._ask(contents)
                contents = []
        self._ask(contents)
        return batch

    def _contents(self, sources: Sequence[Source]) -> Iterator[tuple[Source, bytes]]:
        """The bytes of those that are here and small; the others get their answer at once."""
        by_blob: dict[str, list[Source]] = {}
        for source in sources:
            if not source.place:
                self.answers[source] = {"problem": "it was not pushed yet (dvc push)"}
            elif source.place == "git" and self.sizes.get(source.id, MAX_TABLE_BYTES + 1) <= _most(source):
                by_blob.setdefault(source.id, []).append(source)
            elif source.place == "dvc" and (data := self._data(source)) is not None:
                yield source, data
            else:
                self.answers[source] = {"problem": "it is too large to be read"}
        for oid, pieces in read.each_blob(self.store, self.sizes, by_blob):
            data = b"".join(pieces)
            yield from ((source, data) for source in by_blob[oid])

    def _data(self, source: Source) -> bytes | None:
        blob = objects.find(self.repository.pk, keys.BUCKET, source.id)
        if blob is None or blob.size > _most(source):
            return None
        return object_store().head(blob.key, blob.size) if blob.size else b""

    def _ask(self, contents: Sequence[tuple[Source, bytes]]) -> None:
        """Have datasets.pipelines.values read them; a file that ends its process spoils only itself."""
        if not contents:
            return
        self.beat(0)
        files = [{"path": s.path, "kind": s.kind, "data": base64.b64encode(data).decode()} for s, data in contents]
        try:
            answers = call("values:read", json.dumps(files).encode())
        except Failed:
            if len(contents) == 1:
                self.answers[contents[0][0]] = {"problem": "it takes more time or memory than this hub gives to it"}
                return
            middle = len(contents) // 2
            self._ask(contents[:middle])
            self._ask(contents[middle:])
            return
        self.answers |= {source: answer for (source, _), answer in zip(contents, answers, strict=True)}


def _most(source: Source) -> int:
    is_table = source.kind == "plot" or source.path.lower().endswith(TABLES)
    return MAX_TABLE_BYTES if is_table else MAX_DOCUMENT_BYTES


# ---- one run ------------------------------------------------------------------------------------
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
