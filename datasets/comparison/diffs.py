"""What changed in the data between two commits: which question a path asks, and the answer as far as it is known.

A path that is a folder at either commit (the root too) asks for the diff of its files; a table file for the diff of
its rows; any other file for what its kind can tell. What takes time is a Job, kept by the hashes of what is compared;
its result is read again at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import formats, results
from datasets.comparison import comparing, contentdiffs, filelists
from datasets.tracked.declared_keys import declared_key
from datasets.tracked.tracking import tracked
from datasets.tracked.versions import Version, version_at
from hub.jobs.models import Job
from hub.lib.errors import Invalid, NotFound
from repos.git import read
from repos.git.read import Rev
from repos.models import Repository
from repos.place import quoted, resolve, split_rev, url

MAX_KEY_COLUMNS = 16
NOTHING = {"rows_added": 0, "rows_removed": 0, "rows_changed": 0, "cells_changed": 0}


@dataclass(frozen=True)
class Options:
    """How rows are compared. key: columns that name a row, () for what is declared or guessed; unkeyed: as a bag.

    Of other files: as_text: lines instead of values or cells; ignore_space: differences of white space do not count.
    """

    key: tuple[str, ...] = ()
    unkeyed: bool = False
    tolerance: float = 0.0
    as_text: bool = False
    ignore_space: bool = False


@dataclass(frozen=True)
class Compared:
    """base, head: two revs, compared themselves and not from where they parted. path "" is the root."""

    repository: Repository
    base: Rev
    head: Rev
    path: str = ""

    def permalink(self, page: str) -> str:
        """The address of this page by commit ids: it never means anything else."""
        return url(self.repository, page, f"{self.base.commit}...{self.head.commit}", self.path)


@dataclass(frozen=True)
class Diff:
    """kind: files, table, image, audio, text, structure, notebook or bytes; file while nothing is compared.

    state: done, queued, running, failed, cancelled or missing (data never pushed).

    summary: the counts, when done. result: all that the work found. versions: of base and head, for single files.
    missing: what was never pushed: {"side", "path", "pointer"}. declared: the key comes from the repository.
    """

    compared: Compared
    options: Options
    kind: str
    state: str
    summary: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None
    digest: str = ""
    base: Version | None = None
    head: Version | None = None
    missing: list[dict[str, str]] = field(default_factory=list)
    declared: bool = False

    @property
    def identical(self) -> bool:
        return self.base is not None and self.head is not None and self.base.identity == self.head.identity


def compared(repository: Repository, named: str) -> Compared:
    """`base...head/path`: the longest matching branch or tag wins, full commit ids always work. Raises NotFound."""
    base, dots, rest = named.partition("...")
    if not dots or not base or not rest:
        raise NotFound(
            "That address names no two revisions.", details="It must hold base...head, for example v1...main."
        )
    head, path = split_rev(repository, rest)
    return Compared(repository, resolve(repository, base), head, path)


def diff(asked: Compared, options: Options, *, user_id: int | None) -> Diff:
    """Raises NotFound when the path is at neither commit, Busy when too much waits."""
    repository, path = asked.repository, asked.path
    base = version_at(repository, asked.base.commit, path)
    head = version_at(repository, asked.head.commit, path)
    if base is None and head is None and path not in _leading(asked):
        raise NotFound(f"There is no '{read.shown(path)}' at either revision.")
    if not path or (base is None and head is None) or (base and base.is_dir) or (head and head.is_dir):
        return _files(asked, options, user_id)
    return _file(asked, options, user_id, base, head)


def _leading(asked: Compared) -> set[str]:
    """Folders that only lead to outputs at either commit."""
    return {f for rev in (asked.base, asked.head) for f in tracked(asked.repository, rev.commit).folders}


# ---- lists of files ----------------------------------------------------------------------------
def _files(asked: Compared, options: Options, user_id: int | None) -> Diff:
    repository, base, head = asked.repository, asked.base.commit, asked.head.commit
    found = filelists.lists(repository, base, head, asked.path)
    missing = [
        {"side": side, "path": output.path, "pointer": output.pointer}
        for side, listed in (("base", found.base), ("head", found.head))
        for output in listed.missing
    ]
    digest = results.digest("files", repository.pk, base, head, asked.path, found.identity)
    job = _job(comparing.FILE_LIST, asked, digest, {}, user_id, kept=results.place_of(repository.pk, digest))
    result = job.result or {}
    summary = result.get("summary", {})
    return Diff(asked, options, "files", str(job.state), summary, result, job, digest, missing=missing)


# ---- single files ------------------------------------------------------------------------------
def _file(asked: Compared, options: Options, user_id: int | None, base: Version | None, head: Version | None) -> Diff:
    kind = formats.kind_of(asked.path) or "file"
    if base and head and base.identity == head.identity:
        return Diff(asked, options, kind, "done", dict(NOTHING) if kind == "table" else {}, base=base, head=head)
    missing = [
        {"side": side, "path": version.path, "pointer": version.pointer}
        for side, version in (("base", base), ("head", head))
        if version is not None and not version.present
    ]
    if missing:
        return Diff(asked, options, kind, "missing", base=base, head=head, missing=missing)
    if kind == "table":
        return _table(asked, options, user_id, base, head)
    if kind in comparing.MEDIA_READERS:
        return _media(asked, options, user_id, kind, base, head)
    return _contents(asked, options, base, head)


def _media(
    asked: Compared, options: Options, user_id: int | None, kind: str, base: Version | None, head: Version | None
) -> Diff:
    """An image that cannot be read is compared by its bytes."""
    repository = asked.repository
    digest = results.digest(kind, repository.pk, *(v.sha256 or v.identity if v else "" for v in (base, head)))
    picture = results.picture_place(repository.pk, digest) if kind == "image" and base and head else None
    job = _job(comparing.MEDIA, asked, digest, {"reader": kind}, user_id, kept=picture)
    result = job.result or {}
    if kind == "image" and "unreadable" in result:
        return _contents(asked, options, base, head, note=result["unreadable"])
    numbers = ("pixels", "pixels_changed", "pixels_visible", "mean", "max", "same_sound")
    summary = {name: result[name] for name in numbers if name in result}
    return Diff(asked, options, kind, str(job.state), summary, result, job, digest, base, head)


def _contents(asked: Compared, options: Options, base: Version | None, head: Version | None, *, note: str = "") -> Diff:
    found = contentdiffs.changes(
        asked.repository,
        (asked.base.commit, base) if base else None,
        (asked.head.commit, head) if head else None,
        as_text=options.as_text,
        ignore_space=options.ignore_space,
    )
    result = found.result | {"note": f"{note} {found.note}".strip()}
    return Diff(asked, options, found.kind, "done", found.summary, result, base=base, head=head)


def _table(asked: Compared, options: Options, user_id: int | None, base: Version | None, head: Version | None) -> Diff:
    repository = asked.repository
    declared: tuple[str, ...] = ()
    if not options.key and not options.unkeyed:
        declared = declared_key(repository, asked.head.commit, asked.path)
    key = list(options.key or declared)
    sides = [version.sha256 or version.identity if version else "" for version in (base, head)]
    name = formats.extension(asked.path)
    digest = results.digest("table", repository.pk, *sides, name, key, options.unkeyed, options.tolerance)
    chosen = {"key": key, "unkeyed": options.unkeyed, "tolerance": options.tolerance}
    job = _job(comparing.TABLE, asked, digest, chosen, user_id, kept=results.place_of(repository.pk, digest))
    result = job.result or {}
    return Diff(
        asked,
        options,
        "table",
        "failed" if result.get("problems") else str(job.state),
        result.get("summary", {}),
        result,
        job,
        digest,
        base,
        head,
        declared=bool(declared),
    )


def _job(
    kind: str, asked: Compared, digest: str, options: dict[str, Any], user_id: int | None, *, kept: Path | None
) -> Job:
    """The job of a comparison; done again when the file that it keeps was swept away."""
    revs = {"base": asked.base.commit, "head": asked.head.commit}
    arguments = {"repository": asked.repository.pk, **revs, "path": quoted(asked.path), "digest": digest, **options}

    def is_kept(job: Job) -> bool:
        result = job.result or {}
        return kept is None or bool(result.get("problems") or result.get("unreadable")) or results.touch(kept)

    return comparing.job_of(kind, digest, arguments, asked.repository, user_id, is_kept=is_kept)


def options_of(key: list[str], *, unkeyed: bool = False, tolerance: str = "", **others: bool) -> Options:
    """From text: key as repeated names, or one text with commas between them. Raises Invalid."""
    names = key if len(key) > 1 else [part.strip() for part in (key[0] if key else "").split(",")]
    columns = tuple(name for name in names if name)
    if len(columns) > MAX_KEY_COLUMNS or any(len(name) > 500 or "\0" in name for name in columns):
        raise Invalid(f"A key has at most {MAX_KEY_COLUMNS} columns.")
    try:
        limit = float(tolerance or 0)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < 1e12:
        raise Invalid("tolerance must be a number from 0 up.", details="For example tolerance=1e-6.")
    return Options(columns, unkeyed and not columns, limit, **others)
