"""The work behind the pages of pipelines, as jobs: a commit's pipelines resolved, compared with what the commit holds,
and drawn; two commits' compared. Results are JSON files named by the trees they were made from."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datasets import results
from datasets.comparison.comparing import repository_of
from datasets.pipelines import boxes, diffing, states
from datasets.pipelines.graph import graph
from datasets.stages import layouts
from datasets.tracked.holdings import NOT_PUSHED, holdings
from datasets.tracked.tracking import Output, tracked
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.lib import sandbox
from hub.lib.sandbox import Helper, Overrun, Unreadable
from repos import cache
from repos.git import read
from repos.models import Repository
from repos.place import store_of

PIPELINE, PIPELINE_DIFF = "datasets.pipeline", "datasets.pipeline-diff"
VERSION = 1  # grows when the meaning of a document changes
SECONDS, MEMORY_BYTES = 45.0, 2 * 1024**3  # shorter than the lease of a job
TOO_MUCH = "These pipelines take more time or memory than this hub gives to them."
MAX_PIPELINES = 500  # dvc.yaml files
MAX_FILE_BYTES = 2 * 1024**2
MAX_ALL_BYTES = 32 * 1024**2
ROUNDS = 5  # a params file may be named by one that was not read yet
CONFIG = ".dvc/config"


def pipeline_files(repository: Repository, commit: str) -> dict[str, str]:
    """Every dvc.yaml of a commit and the dvc.lock beside it: path → blob id."""
    return cache.by_ids(repository, "pipeline-files", commit, make=lambda: _files(repository, commit))


def _files(repository: Repository, commit: str) -> dict[str, str]:
    found = read.files(store_of(repository), commit)
    return {path: oid for path, oid, plain in found if plain and path.rpartition("/")[2] in {"dvc.yaml", "dvc.lock"}}


def digest_of(repository: Repository, commit: str) -> str:
    """Commits with the same tree have the same pipelines."""
    root = read.find_entry(store_of(repository), commit, "")
    assert root is not None
    return results.digest(PIPELINE, VERSION, repository.pk, root.oid)


@jobs.handler(PIPELINE)
def make_pipeline(run: Run) -> dict[str, Any]:
    """Arguments: repository, commit, digest. The document is kept as a file."""
    asked = run.job.arguments
    document = _made(run, repository_of(asked), asked["commit"])
    return {"stages": len(document["stages"])}


@jobs.handler(PIPELINE_DIFF)
def make_diff(run: Run) -> dict[str, Any]:
    """Arguments: repository, base and head (commit ids), digest. The diff with its drawing is kept as a file."""
    asked = run.job.arguments
    repository = repository_of(asked)
    sides = [
        _made(run, repository, asked[side]) if pipeline_files(repository, asked[side]) else None
        for side in ("base", "head")
    ]
    found = diffing.compare(*sides)
    found["problems"] = {
        side: one["problems"] if one else [] for side, one in zip(("base", "head"), sides, strict=True)
    }
    found["drawing"] = _drawing(found["stages"], found["sources"], [edge[:2] for edge in found["edges"]])
    _keep(repository, found, asked["digest"])
    return found["summary"]


def _made(run: Run, repository: Repository, commit: str) -> dict[str, Any]:
    """The document of one commit, from its file or made now."""
    digest = digest_of(repository, commit)
    place = results.pipeline_place(repository.pk, digest)
    if results.touch(place):
        return dict(json.loads(place.read_bytes()))
    document = _document(run, repository, commit)
    _keep(repository, document, digest)
    return document


def _keep(repository: Repository, document: dict[str, Any], digest: str) -> None:
    results.write(json.dumps(document).encode(), results.pipeline_place(repository.pk, digest))


def _document(run: Run, repository: Repository, commit: str) -> dict[str, Any]:
    """{"files", "problems", "stages", "sources", "edges", "drawing", "lacking"}: stages with their states as far as
    the commit says, see states.compare. lacking: keys of lists of files that were not there to be compared."""
    files = pipeline_files(repository, commit)
    named = sorted(path for path in files if path.endswith("dvc.yaml"))
    pipelines = [path for path in named if path.isprintable()][:MAX_PIPELINES]
    document = with_files("resolving:resolve", repository, commit, pipelines, files, beat=run.progress)
    left_out = [read.shown(path) for path in named if path not in pipelines]
    for path in left_out[:20]:
        message = "It is left out: its name is not plain text, or there are too many such files."
        document["problems"].append({"file": path, "stage": "", "message": message})
    stages = document["stages"]
    data = tracked(repository, commit).outputs
    paths = {item["path"] for stage in stages for item in (*stage["deps"], *stage["outs"]) if item["path"]}
    held = {path: asdict(one) for path, one in holdings(repository, commit, paths).items()}
    for stage in stages:
        states.compare(stage, held, data)
    found = graph(stages, {path: output.pointer for path, output in data.items() if output.pointer.endswith(".dvc")})
    document["problems"] += _of_graph(stages, found)
    drawing = None if found["cut"] else _drawing(stages, found["sources"], found["edges"])
    lacking = sorted({_manifest(data, path) for path, one in held.items() if one["unknown"] == NOT_PUSHED})
    return document | {
        "sources": found["sources"],
        "edges": found["edges"],
        "drawing": drawing,
        "lacking": lacking,
    }


def _manifest(data: dict[str, Output], path: str) -> str:
    """The key of the list of files that a path waits for."""
    start = f"{path}/"
    around = next((o for at, o in data.items() if path.startswith(f"{at}/") or at.startswith(start)), None)
    return around.out.key if around else ""


def _of_graph(stages: list[dict[str, Any]], found: dict[str, Any]) -> list[dict[str, str]]:
    problems = [
        {"file": "", "stage": other, "message": f"'{path}' is also an output of {one}; DVC refuses that."}
        for path, one, other in found["clashes"][:50]
    ]
    if found["cycle"]:
        names = " → ".join(stages[number]["address"] for number in [*found["cycle"], found["cycle"][0]][:12])
        first = stages[found["cycle"][0]]
        message = f"Stages wait for each other in a circle: {names}. DVC refuses to run them."
        problems.append({"file": first["file"], "stage": first["name"], "message": message})
    return problems


# ---- in the sandbox ----------------------------------------------------------------------------
def with_files(
    function: str,
    repository: Repository,
    commit: str,
    pipelines: list[str],
    files: dict[str, str],
    *,
    beat: Callable[[int], None],
) -> dict[str, Any]:
    """What a function of datasets.pipelines answers over these dvc.yaml files, once it has every file it asks for.

    files: path → blob id of each dvc.yaml, and of each dvc.lock that counts. Raises Failed."""
    reader = _Reader(repository, commit)
    for path in pipelines:
        folder = path.removesuffix("dvc.yaml")
        reader.give(path, files[path])
        if lock := files.get(f"{folder}dvc.lock"):
            reader.give(f"{folder}dvc.lock", lock)
        reader.find(f"{folder}params.yaml")
    reader.find(CONFIG)
    for _ in range(ROUNDS):
        answer = call(function, json.dumps(reader.given).encode(), pipelines=pipelines)
        beat(0)
        missed = answer.pop("missed")
        if not [path for path in missed if reader.find(path)]:
            break
    return dict(answer)


class _Reader:
    """Small files of a commit for the resolver: base64 by path, None for one that is too large."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self.store, self.commit = store_of(repository), commit
        self.given: dict[str, str | None] = {}
        self.total = 0

    def find(self, path: str) -> bool:
        """Give a file that is there and was not given yet."""
        if path in self.given:
            return False
        entry = read.find_entry(self.store, self.commit, path)
        if entry is None or entry.kind != "file":
            return False
        self.give(path, entry.oid)
        return True

    def give(self, path: str, oid: str) -> None:
        blob = read.read_blob(self.store, oid, limit_bytes=MAX_FILE_BYTES)
        self.total += len(blob.data)
        whole = blob.complete and self.total <= MAX_ALL_BYTES
        self.given[path] = base64.b64encode(blob.data).decode() if whole else None


def _drawing(
    stages: list[dict[str, Any]], sources: list[dict[str, str]], edges: list[list[int]]
) -> dict[str, Any] | None:
    """None when there is too much to be drawn."""
    if not stages:
        return None
    labels = [*map(boxes.label, stages), *map(boxes.source_label, sources)]
    return layouts.layout(labels, edges, seconds=SECONDS)


# One warm process with DVC in it for each worker that has resolved a pipeline; a call is a fork of it.
_helper = Helper(
    allowed="datasets.pipelines.",
    warm=["datasets.pipelines.declaring"],
    packages=[Path(__file__).resolve().parents[1]],
)


def call(function: str, payload: bytes, **options: Any) -> Any:
    """A function of datasets.pipelines in the sandbox. Raises Failed for people."""
    name = f"datasets.pipelines.{function}"
    try:
        return sandbox.call(name, payload, helper=_helper, seconds=SECONDS, memory_bytes=MEMORY_BYTES, **options)
    except Unreadable as error:
        raise Failed(str(error)) from error
    except Overrun as error:
        raise Failed(TOO_MUCH) from error
