"""Bytes that no row tells of go after a while; no others do."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from datasets import tasks
from datasets.models import Blob
from datasets.storage import strays
from hub.lib import backups, stores
from hub.lib.objectstore import FolderStore
from repos.models import Repository
from tests.datasets.test_removal import in_background, keep, put, read

pytestmark = pytest.mark.django_db(transaction=True)


def aged(key: str) -> None:
    """As if the bytes had come a month ago, where the store lets us say so."""
    store = stores.object_store()
    if isinstance(store, FolderStore):
        os.utime(store.root / key, (time.time() - 30 * 24 * 3600,) * 2)


def test_bytes_without_a_row_go(anywhere: None, public: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    named, stray = keep(public, b"named"), put(b"stray").key
    for key in (named.key, stray):
        aged(key)
    if not isinstance(stores.object_store(), FolderStore):
        monkeypatch.setattr(strays, "GRACE", timedelta(seconds=-60))
    tasks.remove_unnamed()
    assert not stores.object_store().exists(stray)
    assert read(named) == b"named"
    assert Blob.objects.get() == named


def test_what_came_lately_stays(anywhere: None) -> None:
    assert strays.sweep() == 0
    key = put(b"under way").key
    assert strays.sweep() == 0
    assert stores.object_store().exists(key)


def test_a_damaged_one_goes_too(folder: FolderStore) -> None:
    key = put(b"good").key
    (folder.root / key).write_bytes(b"rotten")
    aged(key)
    assert strays.sweep() == 1
    assert not folder.exists(key)
    assert not Blob.objects.exists()


def test_a_backup_holds_them_back(folder: FolderStore) -> None:
    key = put(b"stray").key
    aged(key)
    with backups.held():
        in_background(strays.sweep).result(60)
        assert folder.exists(key)
    tasks.remove_unnamed()
    assert not folder.exists(key)
