"""A proxy before the store that alters, cuts, loses or refuses: an error in words, and nothing is acknowledged that is
not stored. What lies under a key afterwards may be wrong; the next push of the same bytes mends it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from datasets.models import StoredObject
from hub.lib import stores
from hub.lib.objectstore import ObjectMissing, ObjectStoreError, S3Store
from tests.datasets.test_objectstore import joined, leftovers
from tests.datasets.test_remote import address
from tests.support.asgi import ask, basic
from tests.support.lying import INTERNAL, SLOW_DOWN, Answer, Asked, LyingStore

SMALL, LARGE = 1000, 9 * 1024 * 1024
XML = {"Content-Type": "application/xml"}
JOINED = b"<CompleteMultipartUploadResult><Key>x</Key><ETag>x</ETag></CompleteMultipartUploadResult>"
Lie = Callable[[Asked], Answer | None]


def of(method: str, tell: Callable[[Asked], Answer], contains: str = "") -> Lie:
    return lambda asked: tell(asked) if asked.method == method and contains in asked.path else None


def shorter(asked: Asked, *, announced: bool) -> Answer:
    true = asked.ask(asked.body)
    return Answer(true.status, true.headers, true.body[: len(true.body) // 2], len(true.body) if announced else None)


def always(*_: object) -> Answer:
    return Answer(503, XML, SLOW_DOWN)


PUT_LIES: dict[str, Lie] = {
    "a body cut on its way": of("PUT", lambda asked: asked.ask(asked.body[: len(asked.body) // 2])),
    "a body altered on its way": of("PUT", lambda asked: asked.ask(bytes([asked.body[0] ^ 1]) + asked.body[1:])),
    "a foreign tag for nothing stored": of("PUT", lambda _: Answer(200, {"ETag": '"00"'})),
    "no tag": of("PUT", lambda _: Answer(200)),
    "slow down": always,
}
JOIN_LIES: dict[str, Lie] = {
    "an error under 200": of("POST", lambda _: Answer(200, XML, INTERNAL), "uploadId="),
    "an empty 200": of("POST", lambda _: Answer(200, XML), "uploadId="),
    "a 200 for nothing joined": of("POST", lambda _: Answer(200, XML, JOINED), "uploadId="),
}
GET_LIES: dict[str, Lie] = {
    "cut": of("GET", lambda asked: shorter(asked, announced=False)),
    "broken off": of("GET", lambda asked: shorter(asked, announced=True)),
    "the whole instead of a range": of("GET", lambda _: Answer(200, {}, b"z" * 2 * LARGE)),
    "an error under 200": of("GET", lambda _: Answer(200, XML, INTERNAL)),
    "slow down": always,
}


@pytest.fixture
def lying(seaweedfs: dict[str, str]) -> Iterator[LyingStore]:
    with LyingStore(seaweedfs) as found:
        yield found


@pytest.fixture(params=[True, False], ids=["obstore", "boto3"])
def store(lying: LyingStore, request: pytest.FixtureRequest) -> S3Store:
    given = lying.settings
    return S3Store(
        endpoint=given["COVEY_S3_ENDPOINT"],
        bucket=given["COVEY_S3_BUCKET"],
        access_key=given["COVEY_S3_ACCESS_KEY"],
        secret_key=given["COVEY_S3_SECRET_KEY"],
        use_obstore=request.param,
    )


def refuses(store: S3Store, made: Any) -> None:
    with pytest.raises(ObjectStoreError) as raised:
        asyncio.run(made)
    assert not isinstance(raised.value, ObjectMissing)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("lie", PUT_LIES)
def test_nothing_is_taken_for_stored_that_is_not(lying, store, streamed, lie, size):
    data = os.urandom(size)
    lying.lie = PUT_LIES[lie]
    refuses(store, store.put(streamed(data)))
    lying.lie = None
    assert asyncio.run(joined(store.get(asyncio.run(store.put(streamed(data))).key))) == data


@pytest.mark.parametrize("lie", JOIN_LIES)
def test_nor_for_joined(lying, store, streamed, lie):
    lying.lie = JOIN_LIES[lie]
    refuses(store, store.put(streamed(os.urandom(LARGE))))


def test_an_upload_that_is_cancelled_while_the_store_begins_it_is_forgotten_there(lying, store, streamed):
    begun, answered = threading.Event(), threading.Event()

    def slow(asked: Asked) -> Answer:
        begun.set()
        time.sleep(0.5)
        try:
            return asked.ask(asked.body)
        finally:
            answered.set()

    async def cancelled() -> None:
        task = asyncio.create_task(store.put(streamed(bytes(LARGE))))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = leftovers(store)
    lying.lie = of("POST", slow, "uploads")
    asyncio.run(cancelled())
    lying.lie = None
    assert answered.wait(20)
    assert leftovers(store) == before


def test_a_store_whose_tags_are_no_md5_is_believed_for_its_bytes(lying, store, streamed):
    """As of AWS where it encrypts with KMS."""

    def tagged(asked: Asked) -> Answer:
        true = asked.ask(asked.body)
        return Answer(true.status, {**true.headers, "Etag": '"0123"', "ETag": '"0123"'}, true.body)

    lying.lie = of("PUT", tagged)
    for data in (b"", b"bytes"):
        key = asyncio.run(store.put(streamed(data))).key
        assert asyncio.run(joined(store.get(key))) == data


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("lie", GET_LIES)
def test_half_of_it_is_an_error(lying, store, streamed, lie, size):
    key = asyncio.run(store.put(streamed(os.urandom(size)))).key
    lying.lie = GET_LIES[lie]
    refuses(store, joined(store.get(key)))
    with pytest.raises(ObjectStoreError):
        store.read_range(key, 0, SMALL)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lie", PUT_LIES)
def test_dvc_push_hears_502_and_no_row_tells_of_it(lying, settings, bob, private, token_of, lie):
    for name, value in lying.settings.items():
        setattr(settings, name, value)
    stores.object_store.cache_clear()
    data, pusher = os.urandom(SMALL), basic(token_of(bob))
    try:
        lying.lie = PUT_LIES[lie]
        answer = ask("PUT", address(data), headers=pusher, body=[data])
        assert (answer.status, "object store" in answer.text) == (502, True)
        assert not StoredObject.objects.exists()
        lying.lie = None
        assert ask("PUT", address(data), headers=pusher, body=[data]).status == 201
        lying.lie = of("HEAD", lambda _: Answer(200, {"ETag": '"x"'}, b"", 5))
        assert ask("GET", address(data), headers=pusher).status == 502
        lying.lie = None
        assert ask("GET", address(data), headers=pusher).body == data
    finally:
        stores.object_store.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_nor_is_a_store_believed_that_names_the_right_tag_of_what_it_forgot(lying, settings, bob, private, token_of):
    for name, value in lying.settings.items():
        setattr(settings, name, value)
    stores.object_store.cache_clear()
    data, pusher = os.urandom(SMALL), basic(token_of(bob))
    try:
        lying.lie = of("PUT", lambda asked: Answer(200, {"ETag": f'"{hashlib.md5(asked.body).hexdigest()}"'}))
        answer = ask("PUT", address(data), headers=pusher, body=[data])
        assert (answer.status, "Send them again" in answer.text) == (503, True)
        assert not StoredObject.objects.exists()
        lying.lie = None
        assert ask("PUT", address(data), headers=pusher, body=[data]).status == 201
        assert ask("GET", address(data), headers=pusher).body == data
    finally:
        stores.object_store.cache_clear()
