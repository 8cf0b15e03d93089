"""A deleted repository loses its objects; no bytes that somebody still names, or just sends, are lost with them."""

from __future__ import annotations

import asyncio
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from datasets import objects, results, tasks
from datasets.dvc import keys
from datasets.models import Blob, DatasetChange, DatasetIndex, DatasetVersion, StoredObject
from datasets.storage import removal
from datasets.tracked import manifests
from hub import backup as backups
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs, outbox
from hub.jobs.models import Job, Outbox
from hub.lib import backups as keeping
from hub.lib import stores
from hub.lib.errors import Busy, NotFound
from hub.lib.objectstore import Stored
from repos import repositories
from repos.models import Repository
from tests.datasets.conftest import stream

pytestmark = pytest.mark.django_db(transaction=True)
DATA = b"weights of a model"


@pytest.fixture
def gone(anywhere: None, alice: User, private: Repository) -> Repository:
    """alice/private with three objects, one of them of the same bytes as another, and then deleted."""
    for data in (DATA, b"a", b"b"):
        keep(private, data)
    objects.publish(private.pk, "other", "again", put(b"a"))
    repositories.delete(Actor(user=alice), private)
    return private


def put(data: bytes) -> Stored:
    return asyncio.run(stores.object_store().put(stream(data)))


def keep(repository: Repository, data: bytes) -> Blob:
    stored = put(data)
    return objects.publish(repository.pk, keys.BUCKET, keys.key_of(stored.md5), stored)


def read(blob: Blob) -> bytes:
    return stores.object_store().head(blob.key, 100)


def in_background(work: Callable[[], Any]) -> Future[Any]:
    """Run it in a thread with its own connection; returns when it has begun."""
    begun = threading.Event()

    def run() -> Any:
        begun.set()
        try:
            return work()
        finally:
            connection.close()

    future = ThreadPoolExecutor(1).submit(run)
    begun.wait()
    return future


def test_the_event_removes_rows_bytes_and_what_was_made_of_them(gone: Repository) -> None:
    blobs = list(Blob.objects.all())
    place = manifests._place(blobs[0])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.with_suffix(".bad").touch()
    parquet = results.manifest_place(blobs[0])
    parquet.parent.mkdir(parents=True, exist_ok=True)
    parquet.touch()
    outbox.deliver(Outbox.objects.get(topic="repos.deleted").pk)  # wakes the task, whose worker is here:
    tasks.remove_objects(gone.pk)
    assert not StoredObject.objects.exists()
    assert not Blob.objects.exists()
    assert not any(stores.object_store().exists(blob.key) for blob in blobs)
    assert not place.with_suffix(".bad").exists()
    assert not parquet.exists()
    tasks.remove_objects(gone.pk)  # twice changes nothing


def test_the_index_the_comparisons_and_their_results_go_too(
    anywhere: None, alice: User, private: Repository, public: Repository
) -> None:
    kept = [made_of_data(repository) for repository in (private, public)]
    repositories.delete(Actor(user=alice), private)
    assert removal.leftovers() == [private.pk]
    tasks.remove_leftovers()
    assert removal.leftovers() == []
    assert [place.exists() for place in kept] == [False, True]
    for model in (Job, DatasetVersion, DatasetChange, DatasetIndex):
        assert list(model.objects.values_list("repository_id", flat=True)) == [public.pk]
    results.forget(public.pk)


def made_of_data(repository: Repository) -> Path:
    """One of everything that is made of a repository's data; the file of a result."""
    version = DatasetVersion.objects.create(repository=repository, path="a", path_hash="1", identity="md5:0")
    DatasetChange.objects.create(repository=repository, commit="0" * 40, path_hash="1", version=version)
    DatasetIndex.objects.create(repository=repository)
    jobs.start("datasets.table-diff", f"test:{repository.pk}", {}, repository_id=repository.pk)
    place = results.place_of(repository.pk, "digest")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"rows")
    return place


def test_a_task_that_was_lost_is_made_up_for(gone: Repository, public: Repository) -> None:
    keep(public, b"stays")
    assert removal.leftovers() == [gone.pk]
    tasks.remove_leftovers()
    assert removal.leftovers() == []
    assert StoredObject.objects.get().repository_id == public.pk


def test_bytes_that_another_repository_names_stay(gone: Repository, public: Repository) -> None:
    blob = keep(public, DATA)
    assert removal.remove(gone.pk) == 4
    assert [row.pk for row in Blob.objects.all()] == [blob.pk]
    assert read(blob) == DATA


def test_a_repository_that_is_not_deleted_keeps_everything(anywhere: None, public: Repository) -> None:
    blob = keep(public, DATA)
    assert removal.remove(public.pk) == 0
    assert read(blob) == DATA


def test_an_upload_that_comes_first_keeps_its_bytes(gone: Repository, public: Repository) -> None:
    with transaction.atomic():
        blob = keep_inside(public, DATA)
        removed = in_background(lambda: removal.remove(gone.pk))
        with pytest.raises(TimeoutError):
            removed.result(0.3)
    removed.result(30)
    assert not StoredObject.objects.filter(repository=gone).exists()
    assert read(Blob.objects.get(pk=blob.pk)) == DATA


def test_an_upload_that_comes_second_is_asked_to_send_again(gone: Repository, public: Repository) -> None:
    stored = put(DATA)  # its bytes are where the old ones were
    with transaction.atomic():
        removal._remove_batch(gone.pk)
        published = in_background(lambda: objects.publish(public.pk, keys.BUCKET, "key", stored))
        with pytest.raises(TimeoutError):
            published.result(0.3)
    with pytest.raises(Busy):
        published.result(30)
    assert not StoredObject.objects.exists()
    assert read(keep(public, DATA)) == DATA


def keep_inside(repository: Repository, data: bytes) -> Blob:
    """keep() inside of a transaction of the caller's: the loop of the store's own runs in another thread."""
    stored = in_background(lambda: put(data)).result(30)
    return objects.publish(repository.pk, keys.BUCKET, keys.key_of(stored.md5), stored)


def test_a_removal_killed_between_bytes_and_rows_is_finished_by_the_next(gone: Repository, public: Repository) -> None:
    class Killed(Exception):
        pass

    with pytest.raises(Killed), transaction.atomic():
        removal._remove_batch(gone.pk)
        raise Killed
    assert StoredObject.objects.filter(repository=gone).count() == 4
    assert read(keep(public, DATA)) == DATA  # the same bytes sent meanwhile are stored anew, under the row that is left
    tasks.remove_leftovers()
    assert not StoredObject.objects.filter(repository=gone).exists()
    assert read(Blob.objects.get()) == DATA


def test_an_upload_under_way_into_the_deleted_repository_leaves_nothing(
    anywhere: None, alice: User, public: Repository
) -> None:
    late = put(b"late")
    with transaction.atomic():
        keep_inside(public, DATA)
        removed = in_background(lambda: delete_and_remove(alice, public))
        with pytest.raises(TimeoutError):
            removed.result(0.3)
    removed.result(30)
    assert not StoredObject.objects.exists()
    with pytest.raises(NotFound):
        objects.publish(public.pk, keys.BUCKET, "late", late)
    assert not Blob.objects.exists()


def delete_and_remove(alice: User, repository: Repository) -> None:
    repositories.delete(Actor(user=alice), repository)
    removal.remove(repository.pk)


def test_two_removals_at_once_do_not_wait_for_each_other_for_ever(gone: Repository, public: Repository) -> None:
    both = [in_background(lambda: removal.remove(gone.pk)) for _ in range(2)]
    assert sum(future.result(60) for future in both) >= 4
    assert not StoredObject.objects.exists()


# ---- while a backup copies the bytes -----------------------------------------------------------
@pytest.fixture
def backup(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Callable[[], Any]], set[str]]:
    """backup(file, meanwhile) → the objects in the archive; meanwhile is called between its databases and its bytes."""

    def make(target: Path, meanwhile: Callable[[], Any]) -> set[str]:
        real = backups._add_databases

        def between(archive: tarfile.TarFile) -> None:
            real(archive)
            in_background(meanwhile).result(60)

        monkeypatch.setattr(backups, "_add_databases", between)
        backups.write(target)
        with tarfile.open(target) as archive:
            return set(archive.getnames())

    return make


@pytest.fixture
def at_home(tmp_path: Path, settings: Any) -> Iterator[None]:
    """The folder store where a backup looks for it."""
    settings.COVEY_S3_ENDPOINT, settings.OBJECTS_ROOT = "", settings.COVEY_HOME / "objects"
    stores.object_store.cache_clear()
    yield
    stores.object_store.cache_clear()


def test_an_archive_has_every_object_that_its_rows_name(at_home, alice, private, backup, tmp_path) -> None:
    blobs = [keep(private, data) for data in (DATA, b"a", b"b")]
    names = backup(tmp_path / "archive", lambda: delete_and_remove(alice, private))
    assert {f"objects/{blob.key}" for blob in blobs} <= names
    assert not StoredObject.objects.exists()  # names went at once
    assert Blob.objects.count() == 3
    tasks.remove_unnamed()
    assert not Blob.objects.exists()
    assert not any(stores.object_store().exists(blob.key) for blob in blobs)


def test_bytes_stay_while_a_backup_runs_and_go_after_it(anywhere, alice, private, public) -> None:
    blob, other = keep(private, DATA), keep(public, b"other")
    with keeping.held():
        in_background(lambda: delete_and_remove(alice, private)).result(60)
        assert in_background(lambda: read(blob)).result(30) == DATA
    tasks.remove_unnamed()
    assert not stores.object_store().exists(blob.key)
    assert read(other) == b"other"


def test_a_backup_waits_for_a_removal_that_has_begun(gone: Repository) -> None:
    with transaction.atomic():
        removal._remove_batch(gone.pk)
        begun = in_background(lambda: backup_once())
        with pytest.raises(TimeoutError):
            begun.result(0.3)
    begun.result(30)
    assert not StoredObject.objects.exists()


def backup_once() -> None:
    with keeping.held():
        pass


def test_what_is_pushed_again_during_a_backup_is_not_swept(anywhere, alice, private, public) -> None:
    keep(private, DATA)
    with keeping.held():
        in_background(lambda: delete_and_remove(alice, private)).result(60)
        in_background(lambda: keep(public, DATA)).result(60)
    tasks.remove_unnamed()
    assert read(Blob.objects.get()) == DATA
