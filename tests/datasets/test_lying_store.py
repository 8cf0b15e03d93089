"""A store that gives other bytes than it was given: no client gets them as a whole object, nothing is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.models import Blob
from datasets.storage.intact import Damaged
from datasets.storage.scrubbing import due
from datasets.tracked.versions import blob_file
from hub.lib.objectstore import FolderStore
from tests.datasets.test_remote import address, md5
from tests.support import s3
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db(transaction=True)
SMALL, LARGE = b"the very bytes", bytes(3 * 1024 * 1024)


@pytest.fixture
def pusher(bob, private, token_of) -> dict[str, str]:
    return basic(token_of(bob))


def lie(folder: FolderStore, data: bytes) -> Blob:
    blob = Blob.objects.get(md5=md5(data))
    folder._path(blob.key).write_bytes(b"!" + data[1:])
    return blob


def test_a_small_object_is_an_error_in_words(pusher, folder):
    ask("PUT", address(SMALL), headers=pusher, body=[SMALL])
    blob = lie(folder, SMALL)
    answer = ask("GET", address(SMALL), headers=pusher)
    assert (answer.status, SMALL[1:] in answer.body) == (502, False)
    assert "dvc push" in answer.text
    assert next(due()) == blob  # what was given is looked at next


def test_a_large_object_breaks_off(pusher, folder):
    ask("PUT", address(LARGE), headers=pusher, body=[LARGE])
    assert ask("GET", address(LARGE), headers=pusher).body == LARGE
    lie(folder, LARGE)
    assert len(ask("GET", address(LARGE), headers=pusher).body) < len(LARGE)


@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_nor_over_s3(bob, private, token_of, folder, data):
    key, path = token_of(bob), "/alice/private.s3/private/a.bin"
    assert s3.call("PUT", path, key, body=data).status == 200
    assert s3.call("GET", path, key).body == data
    lie(folder, data)
    answer = s3.call("GET", path, key)
    assert answer.status >= 500 or len(answer.body) < len(data)


def test_nothing_is_made_of_them(pusher, folder, monkeypatch, tmp_path: Path):
    ask("PUT", address(SMALL), headers=pusher, body=[SMALL])
    monkeypatch.setattr(FolderStore, "local", lambda self, key: None)  # as of a store behind a network
    blob = lie(folder, SMALL)
    with pytest.raises(Damaged):
        blob_file(blob, tmp_path / "in")
