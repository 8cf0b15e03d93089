"""Artifacts through a proxy before the store that alters, cuts, loses or refuses: nothing is acknowledged that is not
stored, and the next upload mends it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from experiments.mlflow import s3_artifacts
from experiments.mlflow.s3_artifacts import PART_BYTES, Bucket
from hub.lib.errors import HubError
from tests.support import services
from tests.support.lying import Answer, Asked, LyingStore

PATH = "workspaces/r1/1/run/artifacts/a.bin"


def forgets(asked: Asked) -> Answer:
    return Answer(200, {"ETag": f'"{hashlib.md5(asked.body).hexdigest()}"'})


def cuts(asked: Asked) -> Answer:
    return asked.ask(asked.body[: len(asked.body) // 2])


def alters(asked: Asked) -> Answer:
    return asked.ask(bytes([asked.body[0] ^ 1]) + asked.body[1:])


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return services.own_store(tmp_path_factory.mktemp("s3") / "seaweedfs")


@pytest.fixture
def lying(behind: dict[str, str], settings: Any) -> Iterator[LyingStore]:
    with LyingStore(behind) as found:
        for name, value in found.settings.items():
            setattr(settings, name, value)
        s3_artifacts._store.cache_clear()
        yield found
    s3_artifacts._store.cache_clear()


async def stream(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def read(path: str) -> bytes:
    _, pieces = await Bucket().open(path)
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize(
    ("lie", "size"),
    [(forgets, 1000), (forgets, PART_BYTES + 1000), (cuts, 1000), (cuts, PART_BYTES + 1000), (alters, 1000)],
)
def test_it_is_not_believed(lying, lie, size):
    data = os.urandom(size)
    lying.lie = lambda asked: lie(asked) if asked.method == "PUT" else None
    with pytest.raises(HubError) as raised:
        asyncio.run(Bucket().put(PATH, stream(data)))
    assert raised.value.code == 502
    lying.lie = None
    asyncio.run(Bucket().put(PATH, stream(data)))
    assert asyncio.run(read(PATH)) == data


def test_tags_that_are_no_md5_are_believed_for_the_bytes(lying):
    """As of AWS where it encrypts with KMS."""

    def tagged(asked: Asked) -> Answer:
        true = asked.ask(asked.body)
        return Answer(true.status, {**true.headers, "ETag": '"0123"', "Etag": '"0123"'}, true.body, true.announced)

    lying.lie = lambda asked: tagged(asked) if asked.method in {"PUT", "HEAD"} else None
    for data in (b"", b"bytes"):
        asyncio.run(Bucket().put(PATH, stream(data)))
        assert asyncio.run(read(PATH)) == data
