"""`covey backup FILE`: git, objects and databases in one tar archive, consistent while the hub is in use.

The order makes it so. First the refs of every repository: all they reach is in the databases' rows by then (data is
pushed before the pointers to it), and stays in git. Then the databases, each as of one moment. Then the bytes, which
are immutable and were written before whatever names them. So whatever a ref or a row of the archive names is in it;
what was pushed meanwhile is either whole or absent, and bytes that nothing names are collected later. What is removed
meanwhile loses its names; bytes stay until the backup has ended (hub/lib/backups.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import re
import secrets
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from experiments.mlflow import schema
from hub import dumps
from hub.lib import backups, temporary
from hub.lib.errors import Busy, Conflict
from hub.lib.objectstore import S3Store
from hub.lib.objectstore.s3_errors import translated
from hub.lib.stores import object_store
from repos import mending
from repos.git import commands

FORMAT = 1
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.partial")
LEFT_SECONDS = 60  # one that has just begun takes its lock a moment later
END = "end.json"  # the last member: an archive without it was cut short
FOLDERS = ("objects", "artifacts")
REPLACED = "replaced/"  # of the bucket: what a restore has put aside there
# Skipped: what is under way, which nothing names yet; and git's refs, which come from when the backup began.
SKIPPED = {
    "git": re.compile(r"(refs|packed-refs|logs|hooks)(/.*)?|(.*/)?(tmp_|incoming|\.tmp-)[^/]*(/.*)?|.*\.lock"),
    "objects": re.compile(r"tmp(/.*)?|parts/[^/]*/joined"),  # joined: in its place a moment later
    "artifacts": re.compile(r"(?!)"),
}


def write(target: Path, *, databases_only: bool = False) -> Path:
    """Write the archive under another name, then rename it: FILE is whole or not there. Raises Conflict, Busy."""
    if target.exists():
        raise Conflict(f"{target} exists.", details="Name a file that does not exist yet.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Busy(
            f"{target} cannot be written: {error.strerror}.", details="Name a file in a writable folder."
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _remove_left_beside(partial)
            # dereference: links of operators and of programs that join equal files are files like any other.
            shape: dict[str, Any] = {"mode": "w", "format": tarfile.PAX_FORMAT, "dereference": True}
            with backups.held(), tarfile.open(fileobj=file, **shape) as archive:
                _fill(archive, databases_only=databases_only)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _remove_left_beside(partial: Path) -> None:
    """What killed backups left in the folder: nobody holds its lock any more."""
    for left in partial.parent.glob(".*.partial"):
        with contextlib.suppress(OSError):  # held, gone meanwhile, or not ours to touch
            if _PARTIAL.fullmatch(left.name) and time.time() - left.stat().st_mtime > LEFT_SECONDS:
                with open(left, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()


def _fill(archive: tarfile.TarFile, *, databases_only: bool) -> None:
    _add_bytes(archive, "manifest.json", json.dumps(_manifest(databases_only)).encode())
    secret = settings.COVEY_HOME / "secret_key"
    if secret.exists():
        archive.add(secret, "secret_key")
    if not databases_only:
        for folder in (settings.GIT_ROOT, *(settings.COVEY_HOME / name for name in FOLDERS)):
            _refuse_dead_link(folder)
        for repository in _repositories():
            _add_refs(archive, repository)
    _add_databases(archive)
    if not databases_only:
        for repository in _repositories():
            _add_git_objects(archive, repository)
        for name in FOLDERS:
            _add_folder(archive, settings.COVEY_HOME / name, name, SKIPPED[name], set())
        if settings.COVEY_S3_ENDPOINT:
            _add_bucket(archive)
    _add_bytes(archive, END, b"{}")


def _manifest(databases_only: bool) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "database": connection.vendor,
        "databases_only": databases_only,
        "bucket": bool(settings.COVEY_S3_ENDPOINT),
        "mlflow": schema.database_revision(),
        "migrations": sorted(map(list, MigrationRecorder(connection).applied_migrations())),
    }


def _add_databases(archive: tarfile.TarFile) -> None:
    folder = temporary.root()
    copies = []
    try:
        # All dumps before the first is archived: the databases are copied as close together as can be.
        for name, address in dumps.databases():
            if not dumps.is_made(address):
                continue
            copy = folder / f"backup-{secrets.token_hex(8)}.{dumps.suffix(address)}"
            copies.append((copy, f"databases/{name}.{dumps.suffix(address)}"))
            dumps.dump(address, copy)
        for copy, name in copies:
            archive.add(copy, name)
    finally:
        for copy, _ in copies:
            copy.unlink(missing_ok=True)


# ---- git ---------------------------------------------------------------------------------------
def _repositories() -> Iterator[Path]:
    root: Path = settings.GIT_ROOT
    return iter(sorted(path for path in root.glob("*/*.git") if path.is_dir()))


def _place(repository: Path) -> str:
    return f"git/{repository.relative_to(settings.GIT_ROOT)}"


def _add_refs(archive: tarfile.TarFile, repository: Path) -> None:
    """Every ref as of now, as one packed-refs file."""
    try:
        mending.look(int(repository.stem), repository)  # git leaves out what it cannot read
        refs = commands.run(repository, "for-each-ref", "--format=%(objectname) %(refname)")
    except commands.GitError:
        if repository.exists():
            raise
        return  # deleted meanwhile; its rows are gone too
    _add_bytes(archive, f"{_place(repository)}/packed-refs", refs)


def _add_git_objects(archive: tarfile.TarFile, repository: Path) -> None:
    """Everything but refs. Maintenance may replace packs under our hands: then the new ones are added too."""
    added: set[str] = set()
    for _ in range(5):
        if _add_folder(archive, repository, _place(repository), SKIPPED["git"], added):
            return
    raise Busy(f"{repository} changes faster than it can be copied.", details="Try again when fewer people push.")


# ---- bytes -------------------------------------------------------------------------------------
def _add_folder(archive: tarfile.TarFile, folder: Path, name: str, skipped: re.Pattern[str], added: set[str]) -> bool:
    """Add the files below a folder that were not added before; False when one vanished meanwhile."""
    whole = True

    def refused(error: OSError) -> None:
        nonlocal whole
        if not isinstance(error, FileNotFoundError):
            raise error  # what cannot be read must not be left out without a word
        whole = whole and not folder.exists()

    for parent, folders, files in os.walk(folder, onerror=refused, followlinks=True):
        folders.sort()
        for file in sorted(files):
            path = Path(parent) / file
            inside = str(path.relative_to(folder))
            if inside in added or skipped.fullmatch(inside):
                continue
            try:
                archive.add(path, f"{name}/{inside}", recursive=False)
            except FileNotFoundError:
                _refuse_dead_link(path)
                whole = False
            else:
                added.add(inside)
    return whole


def _refuse_dead_link(path: Path) -> None:
    """A link to a disk that is away did not vanish, and must not be taken for an empty folder."""
    if path.is_symlink() and not path.exists():
        raise Busy(f"{path} is a link to what is not there.", details="Mount what it leads to, or remove the link.")


def as_path(key: str) -> str:
    """A key as a path that no other key's folder can be: S3 may hold both `a` and `a/b`. Folders begin with '+',
    files with '='; key_of undoes it."""
    *folders, name = key.split("/")
    return "/".join([*(f"+{folder}" for folder in folders), f"={name}"])


def key_of(path: str) -> str:
    """The key that as_path made this path of."""
    return "/".join(part[1:] for part in path.split("/"))


def _add_bucket(archive: tarfile.TarFile) -> None:
    """Every object of the S3 store, streamed; but what a restore has put aside."""
    store = object_store()
    assert isinstance(store, S3Store)
    pages = store.control.get_paginator("list_objects_v2").paginate(Bucket=store.bucket)
    with translated(store.bucket):
        for page in pages:
            for item in page.get("Contents", []):
                if item["Key"].startswith(REPLACED):
                    continue
                answer = store.control.get_object(Bucket=store.bucket, Key=item["Key"])
                member = tarfile.TarInfo(f"bucket/{as_path(item['Key'])}")
                member.size, member.mode = answer["ContentLength"], 0o600
                archive.addfile(member, answer["Body"])


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    archive.addfile(member, io.BytesIO(content))
