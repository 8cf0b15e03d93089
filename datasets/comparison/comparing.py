"""The work behind a diff, as jobs: ids in, rows and git read again, safe to run twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from datasets import objects, results
from datasets.comparison import filelists
from datasets.comparison.filelists import Lists, Pair, Side
from datasets.dvc import keys
from datasets.media.names import DIFFERENCE
from datasets.models import Blob
from datasets.tables.names import CHANGES, FILES, HASHES, MANIFEST, MAX_HASHES
from datasets.tracked.versions import Version, blob_file, local_file, version_at
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run, State
from hub.jobs.models import Job
from hub.lib import sandbox_job
from hub.lib.errors import Busy, HubError
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.sandbox_job import Limits
from repos.git import read
from repos.models import Repository
from repos.place import store_of

TABLE, FILE_LIST, MEDIA = "datasets.table-diff", "datasets.file-diff", "datasets.media-diff"
MANIFEST_JOB = "datasets.manifest"
LIMITS = Limits(seconds=900, memory_bytes=4 * 1024**3, disk_bytes=8 * 1024**3)
MEDIA_LIMITS = Limits(seconds=120, memory_bytes=3 * 1024**3, disk_bytes=64 * 1024**2)
MAX_TABLE_BYTES, MAX_MEDIA_BYTES = 4 * 1024**3, 1024**3
MEDIA_READERS = {"image": "datasets.media.images:compare", "audio": "datasets.media.sounds:compare"}
TOO_MUCH = "Comparing these takes more time or memory than this hub gives to one comparison."
_turns = threading.BoundedSemaphore(1)  # of what is made while its page is asked for


@jobs.handler(TABLE)
def compare_tables(run: Run) -> dict[str, Any]:
    """Arguments: repository, base and head (commit ids), path, digest, key, unkeyed, tolerance. The answer of
    datasets.tables.diff.compare."""
    asked = run.job.arguments
    repository = repository_of(asked)
    path = path_of(asked)
    with results.work_folder() as folder:
        inputs = _sides(repository, asked, folder, MAX_TABLE_BYTES)
        options = {name: asked[name] for name in ("key", "unkeyed", "tolerance")}
        names = {"base_name": read.shown(path), "head_name": read.shown(path)}
        answer = work(run, "datasets.tables.diff:compare", inputs, folder, **names, **options)
        if not answer["problems"]:
            results.keep(folder / "out" / CHANGES, results.place_of(repository.pk, asked["digest"]))
    return dict(answer)


@jobs.handler(MEDIA)
def compare_media(run: Run) -> dict[str, Any]:
    """Arguments: repository, base and head (commit ids), path, digest, reader (of MEDIA_READERS). The answer of that
    reader's compare, of sounds with "same_sound": whether every sample is the same; or {"unreadable": why}. What a
    file is, is kept by its bytes: it is decoded again only where the pixels of two images are compared."""
    asked = run.job.arguments
    repository, kind = repository_of(asked), asked["reader"]
    versions = _versions(repository, asked)
    kept = {
        side: results.sketch_place(repository.pk, results.digest(kind, version.sha256 or version.identity))
        for side, version in versions.items()
    }
    pixels = kind == "image" and len(versions) == 2
    known = {
        side: json.loads(place.read_bytes()) for side, place in kept.items() if not pixels and results.touch(place)
    }
    answer: dict[str, Any] = {"sides": {}}
    with results.work_folder() as folder:
        inputs, out = _files(repository, versions, known, folder, MAX_MEDIA_BYTES), folder / "out"
        out.mkdir()
        try:
            if inputs:
                answer = sandbox_job.run(
                    MEDIA_READERS[kind], inputs, out, package="datasets", limits=MEDIA_LIMITS, beat=run.progress
                )
        except Unreadable as error:
            return {"unreadable": str(error)}
        except Overrun as error:
            raise Failed(TOO_MUCH) from error
        for side, about in answer["sides"].items():
            results.write(json.dumps(about).encode(), kept[side])
        if (picture := out / DIFFERENCE).exists():
            results.keep(picture, results.picture_place(repository.pk, asked["digest"]))
    sides = {side: (known | answer["sides"])[side] for side in versions}
    if kind == "audio":
        samples = [about.pop("samples") for about in sides.values()]
        answer["same_sound"] = len(samples) == 2 and samples[0] == samples[1]
    return answer | {"sides": sides}


def _sides(repository: Repository, asked: dict[str, Any], folder: Path, max_bytes: int) -> dict[str, Path]:
    """The files to compare, on this machine: base and head, or one of them."""
    return _files(repository, _versions(repository, asked), {}, folder, max_bytes)


def _versions(repository: Repository, asked: dict[str, Any]) -> dict[str, Version]:
    found = {side: version_at(repository, asked[side], path_of(asked)) for side in ("base", "head")}
    return {side: version for side, version in found.items() if version is not None and not version.is_dir}


def _files(
    repository: Repository, versions: dict[str, Version], known: Mapping[str, Any], folder: Path, max_bytes: int
) -> dict[str, Path]:
    """Of those sides that are not known yet."""
    return {
        side: local_or_failed(repository, version, folder / f"in-{side}", max_bytes)
        for side, version in versions.items()
        if side not in known
    }


@jobs.handler(FILE_LIST)
def compare_files(run: Run) -> dict[str, Any]:
    """Arguments: repository, base and head (commit ids), path, digest. The answer of datasets.tables.entries.compare,
    with bytes gained and lost in its summary."""
    asked = run.job.arguments
    repository = repository_of(asked)
    found = filelists.lists(repository, asked["base"], asked["head"], path_of(asked))
    with results.work_folder() as folder:
        in_git = filelists.in_git(repository, asked["base"], asked["head"], found.below)
        inputs, parts = _inputs(run, found, in_git, folder)
        answer = work(run, "datasets.tables.entries:compare", inputs, folder, below=read.shown(found.below), **parts)
        answer["summary"] |= _bytes(repository, folder / "out" / HASHES)
        results.keep(folder / "out" / FILES, results.place_of(repository.pk, asked["digest"]))
    return dict(answer)


def work(run: Run, function: str, inputs: Mapping[str, Path], folder: Path, **options: Any) -> Any:
    """Run a function of datasets.tables in the sandbox; it writes to folder/out. Raises Failed for people."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    try:
        answer = sandbox_job.run(function, inputs, out, package="datasets", limits=LIMITS, beat=run.progress, **options)
    except Unreadable as error:
        raise Failed(str(error)) from error
    except Overrun as error:
        raise Failed(TOO_MUCH) from error
    return jobs.storable(answer)  # also for what is kept in files


def making(
    place: Path, kind: str, digest: str, arguments: dict[str, Any], repository: Repository, user_id: int | None
) -> Job | None:
    """The job that makes a file which is not there yet, asked for if it was not; None when the file is there.

    Raises Busy when too much waits.
    """
    if results.touch(place):
        return None
    job = job_of(kind, digest, arguments, repository, user_id, is_kept=lambda _: results.touch(place))
    return None if job.state == State.DONE else job


def job_of(
    kind: str,
    digest: str,
    arguments: dict[str, Any],
    repository: Repository,
    user_id: int | None,
    *,
    is_kept: Callable[[Job], bool],
    at_once: bool = False,
) -> Job:
    """The job that makes an answer, asked for if it was not. is_kept: whether what one that is done left behind is
    still there; else it is done again. at_once: here and now, unless others do so. Raises Busy when too much waits."""
    here = at_once and _turns.acquire(blocking=False)
    try:
        job = jobs.start(
            kind, f"{kind}:{digest}", arguments, repository_id=repository.pk, user_id=user_id, at_once=here
        )
        if job.state == State.DONE and not is_kept(job):
            jobs.restart(job, at_once=here)
        return job
    finally:
        if here:
            _turns.release()


def path_of(asked: dict[str, Any]) -> str:
    """The path in a job's arguments: kept quoted, since it may hold bytes that no database takes as text."""
    return read.to_text(unquote_to_bytes(asked["path"]))


def repository_of(asked: dict[str, Any]) -> Repository:
    found = Repository.objects.select_related("owner").filter(pk=asked["repository"], deleted=None).first()
    if found is None:
        raise Failed("The repository is gone.")
    return found


def local_or_failed(repository: Repository, version: Version, made: Path, max_bytes: int = MAX_TABLE_BYTES) -> Path:
    if not version.present:
        raise Failed("The data was never pushed here.")
    try:
        return local_file(repository, version, made, max_bytes=max_bytes)
    except HubError as error:
        raise Failed(error.message) from error


# ---- lists of files ----------------------------------------------------------------------------
def _inputs(
    run: Run, found: Lists, in_git: tuple[list[Pair], list[Pair]], folder: Path
) -> tuple[dict[str, Path], dict[str, Any]]:
    """(files by name, what each side is made of)."""
    inputs: dict[str, Path] = {}
    parts: dict[str, Any] = {}
    for name, side, of_git in (("base", found.base, in_git[0]), ("head", found.head, in_git[1])):
        filelists.write_small(side, of_git, found.below, folder / f"{name}.tsv")
        inputs[name] = folder / f"{name}.tsv"
        parts[name] = [[name, ""], *_manifests(run, side, folder, inputs)]
    return inputs, parts


def _manifests(run: Run, side: Side, folder: Path, inputs: dict[str, Path]) -> list[list[str]]:
    parts = []
    for part in side.large:
        source = f"manifest-{part.blob.sha256}"
        inputs[source] = _kept_manifest(run, part.blob)
        parts.append([source, part.prefix])
    return parts


def _kept_manifest(run: Run, blob: Blob) -> Path:
    """A manifest as Parquet, made if it is not there."""
    place = results.manifest_place(blob)
    if not results.touch(place):
        with results.work_folder() as folder:
            work(run, "datasets.tables.entries:manifest", {"manifest": blob_file(blob, folder / "raw")}, folder)
            results.keep(folder / "out" / MANIFEST, place)
    return place


def prepare_manifests(repository: Repository, blobs: Mapping[str, Blob]) -> None:
    """Let a worker keep large manifests as Parquet before somebody waits for a diff of them. blobs: by their keys."""
    for key, blob in blobs.items():
        if blob.size > filelists.LARGE_MANIFEST_BYTES:
            digest = results.digest("manifest", repository.pk, blob.sha256)
            arguments = {"repository": repository.pk, "key": key}
            try:
                making(results.manifest_place(blob), MANIFEST_JOB, digest, arguments, repository, None)
            except Busy:
                return  # those that are left are made by the first diff that needs them


@jobs.handler(MANIFEST_JOB)
def keep_manifest(run: Run) -> dict[str, Any]:
    """Arguments: repository, key (of the manifest's object)."""
    repository, key = repository_of(run.job.arguments), run.job.arguments["key"]
    for blob in objects.blobs(repository.pk, keys.BUCKET, [key]).values():
        _kept_manifest(run, blob)
    return {}


def _bytes(repository: Repository, listed: Path) -> dict[str, int | None]:
    """Bytes gained and lost, None when the size of a file is not known or too many differ. From the rows of this
    repository, as everywhere."""
    found: dict[str, tuple[int, int]] = {}
    with open(listed) as lines:
        for line in lines:
            hash_, gained, lost = line.rstrip("\n").split("\t")
            found[hash_] = int(gained), int(lost)
    if len(found) > MAX_HASHES:
        return {"bytes_added": None, "bytes_removed": None}
    known = sizes_of(repository, list(found))
    if len(known) < len(found):
        return {"bytes_added": None, "bytes_removed": None}
    return {
        "bytes_added": sum(known[hash_] * gained for hash_, (gained, _) in found.items()),
        "bytes_removed": sum(known[hash_] * lost for hash_, (_, lost) in found.items()),
    }


def sizes_of(repository: Repository, hashes: list[str]) -> dict[str, int]:
    """Sizes in bytes by hash as filelists names them; what is not known is left out."""
    in_git = [hash_.removeprefix("git:") for hash_ in hashes if hash_.startswith("git:")]
    sizes = {f"git:{oid}": size for oid, size in read.blob_sizes(store_of(repository), in_git).items()}
    names = {}
    for hash_ in hashes:
        if keys.is_oid(hash_):
            names[keys.key_of(hash_)], names[keys.key_of(hash_, legacy=True)] = hash_, hash_
    found = objects.sizes(repository.pk, keys.BUCKET, names)
    return sizes | {names[key]: size for key, size in found.items()}
