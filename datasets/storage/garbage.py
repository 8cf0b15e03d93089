"""Collect the garbage of a repository's DVC objects: what no ref leads to, and nobody pushed or asked for in a day.

First it is looked for, and listed; then what was listed goes, unless it is needed by then. Why no version that a ref
leads to is ever broken, with people pushing all the while:

1. Marks are names in git, in the run cache and in manifests (marking.py). Before every batch the refs are compared
   with those that were marked; when they have moved, what they lead to is marked too.
2. DVC asks which objects are here and sends only the others. So an object that a pusher heard of in the last day stays
   (objects.tell), as does one that came in the last day: data is pushed before the commit that names it.
3. Of a manifest that is here DVC takes all files as here. So manifests go first. Then the files of every manifest
   that is left are marked, whether or not a ref leads to it; only then files go.
4. Under the lock of its blob a row is looked at once more (removal.remove_names).

Own buckets of S3 hold no garbage: their keys are named by people. Nor is the run cache any, with all that it names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from datasets import objects, results
from datasets.comparison.comparing import repository_of
from datasets.dvc import keys
from datasets.models import StoredObject
from datasets.storage import removal
from datasets.storage.garbage_list import GarbageList
from datasets.storage.marking import History, Marks, oids_in
from datasets.tracked import presence
from datasets.tracked.manifests import manifest_of
from datasets.tracked.versions import blob_file
from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.lib.objectstore import ObjectMissing
from repos.git.commands import GitError
from repos.models import Repository

LOOK, COLLECT = "datasets.garbage-look", "datasets.garbage-collect"
GRACE = timedelta(hours=24)
WINDOW = 1_000
RUNS = "runs/"
PIECE_BYTES = 1024 * 1024


@jobs.handler(LOOK)
def look(run: Run) -> dict[str, Any]:
    """Arguments: repository. {"objects", "bytes": of the garbage, "list": where it is listed, "of": objects in all}."""
    repository = repository_of(run.job.arguments)
    name = results.digest("garbage", repository.pk, run.job.pk, timezone.now())
    with _needed(run, repository) as needed:
        listed = GarbageList(needed.folder / "list")
        listed.make()
        needed.mark_names()
        leaving: set[int] = set()
        for rows in windows(old(repository.pk).filter(key__endswith=".dir")):
            found = needed.unneeded(rows)
            leaving.update(row.pk for row in found)
            listed.add(found)
            needed.beat()
        needed.mark_files(leaving)
        for rows in windows(old(repository.pk).exclude(key__endswith=".dir")):
            listed.add(needed.unneeded(rows))
            needed.beat()
        total = listed.sum()
        results.keep(listed.place, results.list_place(repository.pk, name))
    count = StoredObject.objects.filter(repository=repository, bucket=keys.BUCKET).count()
    return {"objects": total.objects, "bytes": total.size, "list": name, "of": count}


@jobs.handler(COLLECT)
def collect(run: Run) -> dict[str, Any]:
    """Arguments: repository, list (as look() named it), user, address. {"objects", "bytes": what went, "list"}."""
    asked = run.job.arguments
    repository = repository_of(asked)
    listed = GarbageList(results.list_place(repository.pk, asked["list"]))
    if not listed.exists():
        raise Failed("The list of what should go is not here any more. Look for garbage again.")
    with _needed(run, repository) as needed:
        needed.total = listed.sum(gone=False).objects
        needed.mark_names()
        for ids in listed.batches(removal.BATCH, dirs=True):
            _remove(needed, listed, ids)
        needed.mark_files()
        for ids in listed.batches(removal.BATCH, dirs=False):
            _remove(needed, listed, ids)
    presence.forget(repository.pk)
    gone = listed.sum(gone=True)
    audit.record(
        "data.collect",
        Actor(user=User.objects.filter(pk=asked["user"]).first(), address=asked["address"]),
        subject=repository.full_name,
        of=repository,
        after={"objects": gone.objects, "bytes": gone.size},
    )
    return {"objects": gone.objects, "bytes": gone.size, "list": asked["list"]}


def _remove(needed: Needed, listed: GarbageList, ids: list[int]) -> None:
    needed.history.refresh()
    needed.require_alive()
    free = needed.unneeded(list(old(needed.repository.pk).filter(pk__in=ids)))
    gone = removal.remove_names(old(needed.repository.pk).filter(pk__in=[row.pk for row in free]))
    listed.mark_gone([row.pk for row in gone])
    needed.done += len(ids)
    needed.beat()


def old(repository_id: int) -> QuerySet[StoredObject]:
    """DVC's objects that did not come, and that no pusher was told of, in the last day."""
    before = timezone.now() - GRACE
    rows = StoredObject.objects.filter(repository_id=repository_id, bucket=keys.BUCKET, created__lt=before)
    return rows.filter(Q(told=None) | Q(told__lt=before - objects.TELL_AGAIN)).exclude(key__startswith=RUNS)


def windows(rows: QuerySet[StoredObject]) -> Iterator[list[StoredObject]]:
    """Rows of one bucket with their blobs, a thousand at a time, in the order of their keys."""
    ordered = rows.select_related("blob").order_by("key")
    window = list(ordered[:WINDOW])
    while window:
        yield window
        window = list(ordered.filter(key__gt=window[-1].key)[:WINDOW])


# ---- what is needed ----------------------------------------------------------------------------
@contextmanager
def _needed(run: Run, repository: Repository) -> Iterator[Needed]:
    """Raises Failed when what is needed cannot be told."""
    with results.work_folder() as folder:
        marks = Marks(folder / "marks")
        try:
            yield Needed(run, repository, folder, marks, History(repository, marks))
        except GitError as error:
            raise Failed(f"Git could not be read, so nothing goes: {error.stderr[:200]}") from error
        finally:
            marks.close()


@dataclass
class Needed:
    """What a repository needs: marks, and history, which brings them up to date. done, total: for who waits."""

    run: Run
    repository: Repository
    folder: Path
    marks: Marks
    history: History
    done: int = 0
    total: int | None = None

    def beat(self) -> None:
        self.run.progress(self.done, self.total)

    def require_alive(self) -> None:
        if not Repository.objects.filter(pk=self.repository.pk, deleted=None).exists():
            raise Failed("The repository is gone.")

    def mark_names(self) -> None:
        """What git and the run cache name."""
        self.history.mark(beat=self.beat)
        for rows in windows(self._rows().filter(key__startswith=RUNS)):
            for row in rows:
                with suppress(ObjectMissing):  # nobody can use it
                    self._mark_words(row)
                self.beat()

    def mark_files(self, leaving: set[int] | None = None) -> None:
        """The files of every manifest that is here, but of those whose rows are leaving. Raises Failed."""
        for rows in windows(self._rows().filter(key__endswith=".dir")):
            for row in rows:
                if row.pk not in (leaving or ()):
                    self._mark_manifest(row)
                self.beat()

    def unneeded(self, rows: list[StoredObject]) -> list[StoredObject]:
        free = self.marks.unmarked([keys.oid_of(row.key) for row in rows])
        return [row for row in rows if keys.oid_of(row.key) in free]

    def _rows(self) -> QuerySet[StoredObject]:
        return StoredObject.objects.filter(repository=self.repository, bucket=keys.BUCKET)

    def _mark_manifest(self, row: StoredObject) -> None:
        try:
            manifest = manifest_of(row.blob)
            if manifest is not None:
                self.marks.add_manifest(manifest)
            else:
                self._mark_words(row)
        except ObjectMissing as error:
            raise _unreadable(row) from error

    def _mark_words(self, row: StoredObject) -> None:
        """What may be an oid in the bytes of an object. Raises Failed when they are not those that came."""
        if not row.blob.size:
            return
        made = self.folder / "object"
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            with open(blob_file(row.blob, made), "rb") as file:
                while piece := file.read(PIECE_BYTES):
                    digest.update(piece)
                    yield piece

        self.marks.add(oids_in(pieces()))
        made.unlink(missing_ok=True)
        if digest.hexdigest() != row.blob.sha256:
            raise _unreadable(row)


def _unreadable(row: StoredObject) -> Failed:
    return Failed(
        f"{row.key} is damaged, so nobody can say which files are needed, and nothing goes. "
        "Push it again with `dvc push`, or delete it through S3."
    )
