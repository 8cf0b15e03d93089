"""How the columns of a table moved between two commits: a sketch of each version, kept by the hash of its bytes, made
once by a job; two sketches are compared on the spot."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import formats, results
from datasets.comparison import diffs, drift
from datasets.comparison.comparing import local_or_failed, making, path_of, repository_of, work
from datasets.comparison.diffs import Compared, Options
from datasets.tracked.versions import Version, version_at
from hub.jobs import jobs
from hub.jobs.jobs import Run, State
from hub.jobs.models import Job
from hub.lib.errors import NotFound
from repos.git import read
from repos.models import Repository
from repos.place import quoted

SKETCH = "datasets.sketch"


@dataclass(frozen=True)
class Statistics:
    """state: as of a Diff. result: of drift.drift, when done. job: the one that is not done."""

    compared: Compared
    state: str
    result: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None
    missing: list[dict[str, str]] = field(default_factory=list)


def statistics(asked: Compared, *, user_id: int | None) -> Statistics:
    """Raises NotFound when the path is no table at both commits, Busy when too much waits."""
    versions: list[tuple[str, str, Version]] = []
    for side, rev in (("base", asked.base), ("head", asked.head)):
        version = version_at(asked.repository, rev.commit, asked.path) if asked.path else None
        if version is None or version.is_dir or not formats.is_table(asked.path):
            raise NotFound(f"'{read.shown(asked.path)}' is not a table at both revisions.")
        versions.append((side, rev.commit, version))
    if missing := [{"side": s, "path": v.path, "pointer": v.pointer} for s, _, v in versions if not v.present]:
        return Statistics(asked, "missing", missing=missing)
    waiting = [job for _, c, v in versions if (job := sketch_job(asked.repository, asked.path, c, v, user_id))]
    for state in (State.FAILED, State.CANCELLED, State.RUNNING, State.QUEUED):
        for job in waiting:
            if job.state == state:
                return Statistics(asked, str(state), job=job)
    one, other = (json.loads(_place(asked.repository, version, asked.path).read_bytes()) for _, _, version in versions)
    found = drift.drift(one, other)
    if not found["added"] or not found["removed"]:
        return Statistics(asked, "done", found)
    # Whether these are renames is for the rows to say: by the rule of their diff, which is asked.
    rows = diffs.diff(asked, Options(), user_id=user_id)
    if rows.state in (State.RUNNING, State.QUEUED):
        return Statistics(asked, rows.state, job=rows.job)
    renames = rows.result["schema"]["renamed"] if rows.state == "done" and rows.result else []
    return Statistics(asked, "done", drift.drift(one, other, renames))


def sketch_of(repository: Repository, path: str, version: Version) -> dict[str, Any] | None:
    """The sketch of a table, if it was made."""
    place = _place(repository, version, path)
    return dict(json.loads(place.read_bytes())) if results.touch(place) else None


def sketch_job(repository: Repository, path: str, commit: str, version: Version, user_id: int | None) -> Job | None:
    """The job that makes a sketch which is not there yet; None when it is. Raises Busy."""
    place = _place(repository, version, path)
    digest = results.digest(SKETCH, repository.pk, place.name)
    arguments = {"repository": repository.pk, "commit": commit, "path": quoted(path)}
    return making(place, SKETCH, digest, arguments, repository, user_id)


def _place(repository: Repository, version: Version, path: str) -> Path:
    """By the bytes and by how they are read."""
    digest = results.digest(version.sha256 or version.identity, formats.extension(path))
    return results.sketch_place(repository.pk, digest)


@jobs.handler(SKETCH)
def make_sketch(run: Run) -> dict[str, Any]:
    """Arguments: repository, commit, path. The sketch is kept as a file."""
    asked = run.job.arguments
    repository = repository_of(asked)
    path = path_of(asked)
    version = version_at(repository, asked["commit"], path)
    if version is None:
        raise jobs.Failed("The file is gone.")
    place = _place(repository, version, path)
    if results.touch(place):
        return {}
    with results.work_folder() as folder:
        inputs = {"table": local_or_failed(repository, version, folder / "in")}
        found = work(run, "datasets.tables.sketches:sketch", inputs, folder, filename=read.shown(path))
    results.write(json.dumps(found).encode(), place)
    return {"rows": found["rows"]}


def rows_known(repository: Repository, version: Version, path: str) -> int | None:
    """How many rows a version has, when its sketch is here."""
    sketch = sketch_of(repository, path, version)
    return int(sketch["rows"]) if sketch else None
