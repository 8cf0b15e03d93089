"""The bytes of a version as a local file, from git and from both kinds of store."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from datasets.models import Blob
from datasets.tracked.versions import blob_file, local_file, version_at
from hub.lib.errors import TooLarge
from tests.datasets.conftest import stream
from tests.datasets.test_contents import pointer

pytestmark = pytest.mark.django_db


def test_an_object_is_read_where_it_lies_or_copied(store, tmp_path, monkeypatch):
    for module in ("tracked.versions", "storage.intact"):
        monkeypatch.setattr(f"datasets.{module}.object_store", lambda: store)
    data = b"x" * 3_000_000
    stored = asyncio.run(store.put(stream(data)))
    blob = Blob(sha256=stored.sha256, md5=stored.md5, size=stored.size, key=stored.key)
    assert blob_file(blob, tmp_path / "copy").read_bytes() == data
    assert (tmp_path / "copy").exists() is (store.local(stored.key) is None)


def test_a_file_of_git_and_one_that_is_too_large(private, writer, keep, tmp_path):
    made = writer(private)
    oid = keep(private, b"abc")
    commit = made.commit({"a.csv": "1,2\n", "b.dvc": pointer(oid, "b"), "c.dvc": pointer("0" * 32, "c")})
    version = version_at(private, commit, "a.csv")
    assert version is not None
    assert local_file(private, version, tmp_path / "a", max_bytes=100).read_bytes() == b"1,2\n"
    with pytest.raises(TooLarge):
        local_file(private, version, tmp_path / "b", max_bytes=3)
    kept, lost = version_at(private, commit, "b"), version_at(private, commit, "c")
    assert kept
    assert (kept.present, kept.size, kept.sha256) == (True, 3, hashlib.sha256(b"abc").hexdigest())
    assert lost
    assert not lost.present
    assert version_at(private, commit, "none") is None
