"""`covey restore FILE`: make the hub what an archive of `covey backup` says.

The archive is unpacked beside the hub and checked first; then bytes, then git, then rows take their places, so that no
row names what is not there yet. What was there before is kept in a folder, for whoever named the wrong archive.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import secrets
import shutil
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from experiments.mlflow import schema as mlflow_schema
from hub import backup, dumps, prepare
from hub.lib import temporary
from hub.lib.errors import Busy, Conflict, Invalid
from hub.lib.objectstore import S3Store
from hub.lib.objectstore.s3_errors import translated
from hub.lib.stores import object_store

logger = logging.getLogger("covey.restore")
PLACES = ("manifest.json", "secret_key", backup.END, "databases/", "git/", "objects/", "artifacts/", "bucket/")
ARTIFACTS = "mlflow/"  # of the bucket


def read(source: Path) -> list[str]:
    """Restore; the places that keep what was there before. Raises Invalid, Conflict."""
    staged = temporary.root() / f"restore-{secrets.token_hex(8)}"
    try:
        manifest = unpack(source, staged)
        check(manifest, staged / "databases")
        kept = settings.COVEY_HOME / "replaced" / time.strftime("%Y%m%d-%H%M%S")
        if not manifest["databases_only"]:
            _check_places(staged, kept)
        try:
            places = put_back(staged, kept, whole=not manifest["databases_only"])
        except BaseException:
            was = f" What was there before is in {kept}." if kept.exists() else ""
            logger.error("The restore is not complete: restore again.%s", was)
            raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    cache.clear()
    prepare.migrate(backup_first=False)
    return places


def unpack(source: Path, staged: Path) -> dict[str, Any]:
    """Write the members below a new folder; the manifest. Nothing outside it is touched, whatever the names say."""
    staged.mkdir(mode=0o700)
    last = ""
    try:
        with tarfile.open(source, mode="r:") as archive:
            for member in archive:
                _unpack_member(archive, member, staged)
                last = member.name
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {source}.") from error
    except OSError as error:  # a folder, or another's file
        raise Invalid(f"{source} cannot be read: {error.strerror}.", details="Nothing was changed.") from error
    except (tarfile.TarError, EOFError) as error:
        raise Invalid(f"{source} is not a whole archive: {error}.", details="Nothing was changed.") from error
    if last != backup.END:
        raise Invalid(f"{source} was cut short.", details="Nothing was changed. Use a whole copy of it.")
    manifest: dict[str, Any] = json.loads((staged / "manifest.json").read_text())
    return manifest


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, staged: Path) -> None:
    parts = member.name.split("/")
    # A link of tar's is the second name of a file that came before, as older versions wrote it: its bytes are copied.
    plain = member.isfile() or member.islnk()
    good = plain and member.name.startswith(PLACES) and ".." not in parts and "" not in parts
    if not good:
        raise Invalid(f"{member.name!r} has no place in an archive of Covey.", details="Nothing was changed.")
    try:
        content = archive.extractfile(member)
    except KeyError as error:
        raise Invalid(f"{member.name!r} is a link to nothing.", details="Nothing was changed.") from error
    assert content is not None
    path = staged / member.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, 1024 * 1024)


def check(manifest: dict[str, Any], databases: Path) -> None:
    """Raises Conflict when this hub cannot take the archive. databases: the folder of its dumps."""
    if manifest.get("format") != backup.FORMAT:
        raise Conflict("The archive is of another format.", details="Restore it with the version that made it.")
    if manifest["database"] != connection.vendor:
        raise Conflict(f"The archive is of {manifest['database']}, this hub uses {connection.vendor}.")
    if manifest["bucket"] and not settings.COVEY_S3_ENDPOINT:
        raise Conflict("The archive holds objects of an S3 store.", details="Set the COVEY_S3_… settings.")
    if settings.COVEY_S3_ENDPOINT and not manifest["bucket"] and not manifest["databases_only"]:
        raise Conflict("The archive holds objects of a folder.", details="Unset COVEY_S3_ENDPOINT.")
    known = MigrationLoader(None).disk_migrations
    ours = {app for app, _ in known}
    newer = [f"{app}.{name}" for app, name in manifest["migrations"] if app in ours and (app, name) not in known]
    if newer:
        raise Conflict(f"A newer version made the archive ({newer[0]}).", details="Install that version first.")
    if (revision := manifest.get("mlflow")) and not mlflow_schema.knows(revision):
        raise Conflict(f"A newer MLflow made the archive ({revision}).", details="Install that version first.")
    _check_databases(databases)


def _check_places(staged: Path, kept: Path) -> None:
    """Folders are renamed into the places of others: else the old one would be gone and the new one not there. Asked by
    renames that cannot be done, onto a folder that is not empty: nothing else tells of a mount of the same disk."""
    fresh = Path(tempfile.mkdtemp(prefix=".restore-", dir=settings.COVEY_HOME))
    try:
        for place in (fresh, settings.GIT_ROOT, settings.COVEY_HOME / "artifacts", kept.parent.resolve()):
            try:
                place.rename(staged)
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR}:
                    where = settings.COVEY_HOME if place == fresh else place
                    raise Conflict(
                        f"{where} and {staged.parent} are not on one disk, or one is a mount: a restore cannot "
                        f"exchange what is there ({error.strerror}).",
                        details="Nothing was changed. Let them be plain folders of COVEY_HOME and restore again.",
                    ) from error
    finally:
        fresh.rmdir()


def _check_databases(folder: Path) -> None:
    """What has no place in this hub would be left out, and its experiments be gone, without a word."""
    ours = {name: f"{name}.{dumps.suffix(address)}" for name, address in dumps.databases()}
    hub, own = folder / ours[dumps.HUB], ours.get(dumps.MLFLOW)
    if not hub.exists():
        raise Invalid("The archive holds no database of the hub.", details="Nothing was changed. Use another one.")
    theirs = next((path.name for path in folder.glob(f"{dumps.MLFLOW}.*")), None)
    if theirs == own:
        return
    if theirs:
        address = "an empty database of PostgreSQL" if theirs.endswith("pgdump") else "sqlite:////WHOLE/PATH"
        raise Conflict(
            "The archive keeps the experiments in a database of their own, and this hub has none of that kind.",
            details=f"Nothing was changed. Set MLFLOW_DATABASE_URL to {address} and restore again.",
        )
    if hub.suffix == ".pgdump" and dumps.holds_mlflow(hub):
        raise Conflict(
            "The archive keeps the experiments in the hub's database, this hub in one of their own.",
            details="Nothing was changed. Unset MLFLOW_DATABASE_URL and restore again.",
        )
    if own and own.endswith("pgdump"):
        raise Conflict(
            "The archive holds no experiments, and those of this hub are in a database of PostgreSQL of their own.",
            details="Nothing was changed. Set MLFLOW_DATABASE_URL to what it was then, or unset it, and restore again.",
        )


def put_back(staged: Path, kept: Path, *, whole: bool) -> list[str]:
    """The places that keep what was there before. whole: the archive has bytes and git too."""
    places = []
    _merge(staged / "objects", settings.COVEY_HOME / "objects")
    if whole:
        # By name, not by their bytes: an artifact that was written again must be the old one, a new repository not
        # meet an old one of its id.
        if settings.COVEY_S3_ENDPOINT:
            places += _put_aside(staged / "bucket", f"{backup.REPLACED}{kept.name}/")
            _fill_bucket(staged / "bucket")
        _swap(staged / "artifacts", settings.COVEY_HOME / "artifacts", kept / "artifacts")
        _complete(staged / "git")
        _swap(staged / "git", settings.GIT_ROOT, kept / "git")
    for name, address in dumps.databases():
        dumped = staged / "databases" / f"{name}.{dumps.suffix(address)}"
        if dumps.is_made(address):
            (kept / "databases").mkdir(mode=0o700, parents=True, exist_ok=True)
            dumps.dump(address, kept / "databases" / dumped.name)
        connections.close_all()
        if dumped.exists():
            dumps.load(address, dumped)
        elif dumps.is_made(address):
            dumps.empty(address)  # nobody had an experiment then: a repository must not meet those of a former number
    if (staged / "secret_key").exists():
        secret = settings.COVEY_HOME / "secret_key"
        if secret.exists():  # without it, second factors of the database that was there before are lost
            kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(secret, kept / "secret_key")
        _move(staged / "secret_key", secret)
    return [*places, str(kept)] if kept.exists() else places


def _merge(source: Path, target: Path) -> None:
    """Objects are immutable: what is there has the same bytes, unless the disk has damaged them."""
    for parent, _, files in os.walk(source):
        for file in files:
            path = Path(parent) / file
            place = target / path.relative_to(source)
            _move(path, place)


def _move(path: Path, place: Path) -> None:
    """Whole or not at all, also when the folder lies on another disk."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.replace(path, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = place.with_name(f".{place.name}.restored")
        shutil.copyfile(path, near)
        os.replace(near, place)
        path.unlink()


def _complete(git: Path) -> None:
    """The folders without which git takes a repository for none: an archive holds files, and some repositories have
    none there."""
    for repository in git.glob("*/*.git"):
        (repository / "objects").mkdir(mode=0o700, exist_ok=True)
        (repository / "refs").mkdir(mode=0o700, exist_ok=True)
        (repository / "refs" / ".keep").unlink(missing_ok=True)  # of older archives; no ref


def _swap(source: Path, target: Path, old: Path) -> None:
    """The whole folder at once."""
    source.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = os.path.lexists(target)  # also a link to a disk that is away
    if there:
        old.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.rename(old)
    try:
        source.rename(target)
    except OSError:
        if there:
            old.rename(target)
        raise


def _put_aside(folder: Path, prefix: str) -> list[str]:
    """Copy artifacts that the archive does not hold as they are below a prefix of the bucket; those that it does not
    hold at all are there no longer. Other objects are named by their bytes, and collected when nothing names them."""
    store = object_store()
    assert isinstance(store, S3Store)
    with translated(store.bucket):
        pages = store.control.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=ARTIFACTS)
        found = [
            (item["Key"], item["Size"])
            for page in pages
            for item in page.get("Contents", [])
            if not _same(store, folder / backup.as_path(item["Key"]), item)
        ]
        for key, size in found:
            store.control.copy({"Bucket": store.bucket, "Key": key}, store.bucket, prefix + key)
            if store.control.head_object(Bucket=store.bucket, Key=prefix + key)["ContentLength"] != size:
                raise Busy(f"The object store has not copied {key}.", details="Look at its log, and restore again.")
            if not (folder / backup.as_path(key)).exists():
                store.delete(key)
    return [f"s3://{store.bucket}/{prefix} ({len(found):,} artifacts)"] if found else []


def _same(store: S3Store, path: Path, item: dict[str, Any]) -> bool:
    """Whether an object is what the archive holds. Of one that came in parts the store knows no md5: it is read, which
    takes no room, as a copy of every large model at each restore would."""
    if not path.exists() or path.stat().st_size != item["Size"]:
        return False
    with path.open("rb") as file:
        if "-" not in item["ETag"]:
            return hashlib.file_digest(file, "md5").hexdigest() == item["ETag"].strip('"')
        body = store.control.get_object(Bucket=store.bucket, Key=item["Key"])["Body"]
        with contextlib.closing(body):
            return all(piece == file.read(len(piece)) for piece in body.iter_chunks(1024 * 1024))


def _fill_bucket(folder: Path) -> None:
    store = object_store()
    assert isinstance(store, S3Store)
    for parent, _, files in os.walk(folder):
        for file in files:
            path = Path(parent) / file
            with translated(store.bucket):
                store.control.upload_file(str(path), store.bucket, backup.key_of(path.relative_to(folder).as_posix()))
