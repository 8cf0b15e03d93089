"""`dvc plots diff` between two commits, as far as it is known by now: a job collects the files that dvc.yaml calls
plots on either side, from git and from the store, and DVC's own code makes points of them in the sandbox."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from datasets import objects, results
from datasets.comparison.comparing import making, repository_of
from datasets.comparison.diffs import Compared
from datasets.dvc import keys
from datasets.stages.jobs import MAX_PIPELINES, call, digest_of, pipeline_files, with_files
from datasets.stages.pages import has_pipelines
from datasets.tracked.located import Located
from hub.jobs import jobs
from hub.jobs.jobs import Run
from hub.jobs.models import Job
from hub.lib.stores import object_store
from repos.git import read
from repos.models import Repository
from repos.place import store_of

PLOTS = "datasets.plots-diff"
VERSION = 1  # grows when the meaning of a document changes
MAX_FILES = 500  # of one side
MAX_FILE_BYTES, MAX_SIDE_BYTES = 8 * 1024**2, 24 * 1024**2
IMAGES = (".jpg", ".jpeg", ".gif", ".png", ".svg")  # those that DVC shows
NOT_PUSHED = "it was not pushed yet (dvc push)"
TOO_LARGE = f"it is larger than {MAX_FILE_BYTES // 1024**2} MiB; look at it with dvc plots diff"
TOO_MUCH = f"the plots of this side are larger than {MAX_SIDE_BYTES // 1024**2} MiB; look at them with dvc plots diff"


@dataclass(frozen=True)
class PlotsDiff:
    """state: of a Diff; "none" where no dvc.yaml is. document: of plotting.drawn, when done. job: one that is not."""

    compared: Compared
    state: str
    document: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None


def plots_diff(asked: Compared, *, user_id: int | None) -> PlotsDiff:
    """Raises Busy when too much waits."""
    repository, base, head = asked.repository, asked.base.commit, asked.head.commit
    if not has_pipelines(repository, base) and not has_pipelines(repository, head):
        return PlotsDiff(asked, "none")
    digest = results.digest(PLOTS, VERSION, digest_of(repository, base), digest_of(repository, head))
    place = results.pipeline_place(repository.pk, digest)
    arguments = {"repository": repository.pk, "base": base, "head": head, "digest": digest}
    job = making(place, PLOTS, digest, arguments, repository, user_id)
    if job is not None:
        return PlotsDiff(asked, str(job.state), job=job)
    document = dict(json.loads(place.read_bytes()))
    if document["lacking"] and objects.sizes(repository.pk, keys.BUCKET, document["lacking"]):
        place.unlink(missing_ok=True)  # some of what it was made without has come
        return plots_diff(asked, user_id=user_id)
    return PlotsDiff(asked, "done", document)


@jobs.handler(PLOTS)
def make(run: Run) -> dict[str, Any]:
    """Arguments: repository, base and head (commit ids), digest. The document is kept as a file."""
    asked = run.job.arguments
    repository = repository_of(asked)
    sides = {side: _side(repository, asked[side], run.progress) for side in ("base", "head")}
    lacking = sorted({key for side in sides.values() for key in side.pop("lacking")})
    problems = [{"side": name, "message": said} for name, side in sides.items() for said in side.pop("said")]
    document = call("plotting:drawn", json.dumps(sides).encode())
    document = {"plots": document["plots"], "problems": problems + document["problems"], "lacking": lacking}
    results.write(json.dumps(document).encode(), results.pipeline_place(repository.pk, asked["digest"]))
    return {"plots": len(document["plots"])}


def _side(repository: Repository, commit: str, beat: Callable[[int], None]) -> dict[str, Any]:
    """What plotting.drawn asks of one side, with "lacking": keys of objects that are not there, "said": sentences."""
    files = pipeline_files(repository, commit)
    pipelines = sorted(path for path in files if path.endswith("dvc.yaml") and path.isprintable())[:MAX_PIPELINES]
    side: dict[str, Any] = {"definitions": {}, "outs": {}, "files": {}, "problems": {}, "lacking": [], "said": []}
    if not pipelines:
        return side
    found = with_files("plotting:defined", repository, commit, pipelines, files, beat=beat)
    side |= {"definitions": found["definitions"], "outs": found["outs"], "said": found["problems"]}
    located = Located(repository, commit, _tree(repository, commit, found["paths"]))
    places = (one for path in found["paths"] for one in located.at(path) if one[0].isprintable())
    there = {path: (place, name) for path, place, name in islice(places, MAX_FILES + 1)}
    side["files"] = dict.fromkeys(list(there)[:MAX_FILES])
    side["problems"] = {path: NOT_PUSHED for path, (place, _) in there.items() if not place}
    side["lacking"] = [name for place, name in there.values() if not place]
    _read(repository, side, {path: there[path] for path in side["files"]})
    if len(there) > MAX_FILES:
        side["said"].append(f"There are more than {MAX_FILES} files of plots; the others are left out.")
    return side


def _tree(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, str]:
    """path → blob id of these files, and of those in these folders."""
    found: dict[str, str] = {}
    for path, oid, plain in read.files(store_of(repository), commit, *paths) if paths else ():
        if plain and len(found) <= MAX_FILES:
            found[path] = oid
    return found


def _read(repository: Repository, side: dict[str, Any], there: dict[str, tuple[str, str]]) -> None:
    """The bytes of what is no image, as far as they are few."""
    store, room = store_of(repository), MAX_SIDE_BYTES
    sizes = read.blob_sizes(store, sorted({name for place, name in there.values() if place == "git"}))
    for path, (place, name) in there.items():
        if not place or path.lower().endswith(IMAGES):
            continue
        blob = objects.find(repository.pk, keys.BUCKET, name) if place == "dvc" else None
        size = blob.size if blob else sizes.get(name, 0)
        if size > min(room, MAX_FILE_BYTES):
            side["problems"][path] = TOO_LARGE if size > MAX_FILE_BYTES else TOO_MUCH
            continue
        room -= size
        if blob:
            data = object_store().head(blob.key, size) if size else b""
        else:
            data = read.read_blob(store, name, limit_bytes=MAX_FILE_BYTES).data
        side["files"][path] = base64.b64encode(data).decode()
