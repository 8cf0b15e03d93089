"""Let a repository name data of another one: a fork that of its parent, a base that of the fork it merges.

Bytes are shared by the store and never copied: only rows are made, and only of what given commits name. From then on
they are the repository's own: what the lender loses, collects or is deleted with takes nothing from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from django.db import transaction

from datasets import objects, results
from datasets.dvc import keys
from datasets.models import Blob, StoredObject
from datasets.storage import quotas
from datasets.storage.marking import PATTERNS, Marks, contents, oids_in
from datasets.tracked import commits
from datasets.tracked.manifests import manifest_of
from hub.lib.objectstore import ObjectStoreError
from hub.lib.prepared import insert, moment
from repos.git import commands
from repos.models import Repository
from repos.place import store_of
from repos.pulls.drivers import Beat

BATCH = 200  # oids per transaction: SQLite's other writers wait for no more than this


def lend(
    lender: Repository, repository: Repository, wanted: Sequence[str], known: Sequence[str], *, beat: Beat
) -> None:
    """Name what the commits wanted, and those behind them but not behind known, need and the lender has.

    All of them are in the repository's git. Files come before the lists that name them, and a list only with all its
    files, since DVC takes the files of a list that is here as here. Safe to run twice. Raises OverQuota, GitError.
    """
    with results.work_folder() as folder:
        marks = Marks(folder / "marks")
        try:
            _mark_pointers(repository, marks, wanted, known, beat)
            lists = _mark_lists(lender, marks, beat)
            absent: set[str] = set()
            for oids in marks.batches(BATCH):
                files = [oid for oid in oids if not keys.is_manifest(oid)]
                absent.update(_name(lender, repository, files))
                beat(0, None)
            for oid, blob in lists:
                if not _lacks(blob, absent):
                    _name(lender, repository, [oid])
                beat(0, None)
        finally:
            marks.close()


def _mark_pointers(
    repository: Repository, marks: Marks, wanted: Sequence[str], known: Sequence[str], beat: Beat
) -> None:
    tips = _commits_among(repository, wanted)
    seen: set[str] = set()
    # What a commit names that nobody can read in time is not lent; the Data tab names the commit.
    found = commits.readable(repository, known, refs=(), wanted=tips, patterns=PATTERNS, unread=[]) if tips else ()
    fresh = (blob.new for commit in found for blob in commit.blobs if blob.new)
    while batch := list(islice(fresh, BATCH)):
        new = list(dict.fromkeys(oid for oid in batch if oid not in seen))
        seen.update(new)
        for pieces in contents(repository, new):
            marks.add(oids_in(pieces))
            beat(0, None)


def _commits_among(repository: Repository, oids: Sequence[str]) -> list[str]:
    """What tags of commits stand for; those of other things name no data."""
    asked = "".join(f"{oid}^{{commit}}\n" for oid in dict.fromkeys(oids))
    out = commands.run(store_of(repository), "cat-file", "--batch-check=%(objectname)", stdin=asked.encode())
    return [line for line in out.decode().splitlines() if " " not in line]


def _mark_lists(lender: Repository, marks: Marks, beat: Beat) -> list[tuple[str, Blob]]:
    """The lists of files among the marks that the lender has; all they name is marked too."""
    found = []
    for oids in marks.batches(BATCH):
        wanted = _keys_of(oid for oid in oids if keys.is_manifest(oid))
        for key, blob in objects.blobs(lender.pk, keys.BUCKET, wanted).items():
            found.append((wanted[key], blob))
        beat(0, None)
    for _, blob in found:
        if manifest := manifest_of(blob):
            marks.add_manifest(manifest)
        beat(0, None)
    return found


def _lacks(blob: Blob, absent: Collection[str]) -> bool:
    """Whether a list names a file that is not here; one that cannot be read names who knows what."""
    if not absent:
        return False
    try:
        manifest = manifest_of(blob)
    except ObjectStoreError:
        return True
    return manifest is None or any(md5 in absent for md5, _ in manifest.md5s())


def _keys_of(oids: Iterator[str] | Sequence[str]) -> dict[str, str]:
    """key → oid, in the layouts of DVC 3 and before."""
    return {keys.key_of(oid, legacy=legacy): oid for oid in oids for legacy in (False, True)}


@transaction.atomic
def _name(lender: Repository, repository: Repository, oids: Sequence[str]) -> set[str]:
    """Name these of the lender's objects; those that are not here afterwards.

    The blobs are locked as by an upload (objects.publish) or a removal, so that whoever comes second sees the other.
    """
    limit = objects.hold(repository.pk)
    if limit:
        quotas.locked(repository.pk)
    wanted = _keys_of(oids)
    here = set(objects.whole(repository.pk, keys.BUCKET).filter(key__in=wanted).values_list("key", flat=True))
    asked = objects.whole(lender.pk, keys.BUCKET).filter(key__in=set(wanted) - here)
    rows = {row.key: row for row in asked.select_related("blob")}
    blobs = Blob.objects.select_for_update(no_key=True).filter(pk__in={row.blob_id for row in rows.values()})
    alive = set(blobs.filter(rotten=None).order_by("pk").values_list("pk", flat=True))
    fresh = [row for _, row in sorted(rows.items()) if row.blob_id in alive]
    if limit:
        quotas.charge(repository.pk, limit, sum(row.blob.size for row in fresh))
    now = moment()
    insert(
        StoredObject,
        ("repository_id", "bucket", "key", "blob_id", "etag", "metadata", "created", "told"),
        [(repository.pk, keys.BUCKET, row.key, row.blob_id, row.etag, "{}", now, now) for row in fresh],
        conflict="(repository_id, bucket, key) DO NOTHING",
    )
    named = here | {row.key for row in fresh}
    return set(oids) - {wanted[key] for key in named}
