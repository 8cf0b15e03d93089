"""Multipart uploads in both stores: parts in any order, joined, refused, aborted, swept, asked for twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Blob, MultipartUpload, StoredObject, UploadedPart
from datasets.s3 import uploads
from datasets.storage.intact import md5_of
from datasets.tasks import sweep_store
from hub.lib.objectstore import DigestMismatch, ObjectMissing
from tests.datasets.conftest import stream
from tests.datasets.s3.test_objects import code, dvc_key, md5
from tests.support.s3 import call

pytestmark = pytest.mark.django_db(transaction=True)
FULL = 5 * 1024 * 1024


@pytest.fixture
def asked(store, monkeypatch, bob, private, token_of):
    """bobs requests with the hub on each kind of store."""
    parts = ["s3.writing", "s3.multipart", "s3.uploads", "s3.reading", "objects", "tasks"]
    for module in [*parts, "storage.removal", "storage.intact"]:
        monkeypatch.setattr(f"datasets.{module}.object_store", lambda: store)
    token = token_of(bob)
    return lambda method, path, **options: call(method, f"/alice/private.s3/{path}", token, **options)


def begin(asked, path: str, **options) -> str:
    text = asked("POST", f"{path}?uploads", **options).text
    return text.partition("<UploadId>")[2].partition("</UploadId>")[0]


def complete(asked, path: str, upload: str, etags: dict[int | str, str], **options):
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in etags.items())
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    return asked("POST", f"{path}?uploadId={upload}", body=body, **options)


def put_part(asked, path: str, upload: str, number: int, data: bytes) -> str:
    answer = asked("PUT", f"{path}?partNumber={number}&uploadId={upload}", body=data)
    assert answer.status == 200, answer.text
    return answer.headers["etag"]


def test_parts_in_any_order_become_one_object(asked, store):
    one, two, three = os.urandom(FULL), os.urandom(FULL + 1), b"end"
    upload = begin(asked, "private/k", headers={"x-amz-meta-a": "1"})
    put_part(asked, "private/k", upload, 2, os.urandom(FULL))
    etags = {9: put_part(asked, "private/k", upload, 9, three), 1: put_part(asked, "private/k", upload, 1, one)}
    etags[2] = put_part(asked, "private/k", upload, 2, two)  # sent again: the last one counts
    listed = asked("GET", f"private/k?uploadId={upload}&max-parts=2").text
    assert listed.count("<Part>") == 2
    assert "<NextPartNumberMarker>2</NextPartNumberMarker>" in listed
    assert f"<Size>{FULL + 1}</Size>" in listed
    assert upload in asked("GET", "private?uploads&prefix=k").text
    assert asked("GET", "private/k").status == 404
    ordered = dict(sorted(etags.items()))
    answer = complete(asked, "private/k", upload, ordered)
    etag = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in (one, two, three))).hexdigest() + "-3"
    assert (answer.status, etag in answer.text) == (200, True), answer.text
    got = asked("GET", "private/k")
    assert (got.body, got.headers["etag"], got.headers["x-amz-meta-a"]) == (one + two + three, f'"{etag}"', "1")
    blob = Blob.objects.get()
    assert (md5_of(blob), blob.sha256) == (md5(got.body), hashlib.sha256(got.body).hexdigest())
    assert not MultipartUpload.objects.exists()
    again = complete(asked, "private/k", upload, ordered)  # as a client does that lost the answer
    assert (again.status, etag in again.text) == (200, True)
    assert code(complete(asked, "private/k", upload, {1: '"' + "0" * 32 + '"'})) == "NoSuchUpload"


def test_in_the_dvc_bucket_the_whole_must_have_the_name(asked):
    first, last = os.urandom(FULL), b"end"
    path = f"dvc/{dvc_key(first + last)}"
    upload = begin(asked, path)
    etags = {1: put_part(asked, path, upload, 1, first), 2: put_part(asked, path, upload, 2, b"evil")}
    for _ in range(2):  # a second try is told the same
        answer = complete(asked, path, upload, etags)
        assert (answer.status, code(answer)) == (400, "BadDigest"), answer.text
        assert asked("HEAD", path).status == 404
    assert not Blob.objects.exists()
    assert asked("DELETE", f"{path}?uploadId={upload}").status == 204
    upload = begin(asked, path)
    etags = {1: put_part(asked, path, upload, 1, first), 2: put_part(asked, path, upload, 2, last)}
    assert complete(asked, path, upload, etags).status == 200
    assert asked("GET", path).body == first + last


def test_what_came_in_parts_may_be_an_object_of_dvc(asked, store):
    """Its md5 is not known before somebody asks for it: a copy does."""
    first, last = os.urandom(FULL), b"end"
    upload = begin(asked, "private/k")
    etags = {n: put_part(asked, "private/k", upload, n, data) for n, data in ((1, first), (2, last))}
    assert complete(asked, "private/k", upload, etags).status == 200
    assert Blob.objects.get().md5 == ""
    copy = {"x-amz-copy-source": "/private/k"}
    assert code(asked("PUT", f"dvc/{dvc_key(b'other')}", headers=copy)) == "BadDigest"
    assert asked("PUT", f"dvc/{dvc_key(first + last)}", headers=copy).status == 200
    assert Blob.objects.get().md5 == md5(first + last)
    Blob.objects.update(md5="")
    assert asked("PUT", "private/again", body=first + last).status == 200  # the same bytes, whose md5 is seen now
    assert Blob.objects.get().md5 == md5(first + last)


def test_a_part_may_be_copied(asked):
    data = os.urandom(FULL + 100)
    asked("PUT", "private/source", body=data)
    upload = begin(asked, "private/k")
    etags = {}
    for number, bytes_ in ((1, f"bytes=0-{FULL - 1}"), (2, f"bytes={FULL}-{FULL + 99}")):
        headers = {"x-amz-copy-source": "/private/source", "x-amz-copy-source-range": bytes_}
        text = asked("PUT", f"private/k?partNumber={number}&uploadId={upload}", headers=headers).text
        etags[number] = text.partition("<ETag>")[2].partition("</ETag>")[0]
    beyond = {"x-amz-copy-source": "/private/source", "x-amz-copy-source-range": "bytes=0-99999999"}
    assert code(asked("PUT", f"private/k?partNumber=3&uploadId={upload}", headers=beyond)) == "InvalidArgument"
    assert complete(asked, "private/k", upload, etags).status == 200
    assert asked("GET", "private/k").body == data
    assert Blob.objects.count() == 1


def test_what_cannot_be_completed(asked):
    upload = begin(asked, "private/k")
    small = {n: put_part(asked, "private/k", upload, n, b"x") for n in (1, 2)}
    assert code(complete(asked, "private/k", upload, small)) == "EntityTooSmall"
    assert code(complete(asked, "private/k", upload, {1: small[1], 3: small[1]})) == "InvalidPart"
    assert code(complete(asked, "private/k", upload, {1: '"' + "0" * 32 + '"'})) == "InvalidPart"
    assert code(complete(asked, "private/k", upload, {2: small[2], 1: small[1]})) == "InvalidPartOrder"
    for nothing in ({}, {"²": small[1]}, {"9" * 5000: small[1]}):
        assert code(complete(asked, "private/k", upload, nothing)) == "MalformedXML"
    for marker in ("%C2%B2", "9" * 5000, "-1"):
        assert code(asked("GET", f"private/k?uploadId={upload}&part-number-marker={marker}")) == "InvalidArgument"
    assert code(complete(asked, "private/k", "nonsense", small)) == "NoSuchUpload"
    assert code(complete(asked, "private/other", upload, small)) == "NoSuchUpload"
    for number in ("0", "10001", "x", "²"):
        answer = asked("PUT", f"private/k?partNumber={number.replace('²', '%C2%B2')}&uploadId={upload}", body=b"x")
        assert code(answer) == "InvalidArgument"
    assert code(asked("PUT", "private/k?partNumber=1&uploadId=nonsense", body=b"x")) == "NoSuchUpload"
    assert complete(asked, "private/k", upload, {1: small[1]}).status == 200
    assert asked("GET", "private/k").body == b"x"


def test_an_abort_leaves_nothing(asked, store):
    upload = begin(asked, "private/k")
    put_part(asked, "private/k", upload, 1, b"x")
    handle = MultipartUpload.objects.get().handle
    assert asked("DELETE", f"private/k?uploadId={upload}").status == 204
    assert code(asked("DELETE", f"private/k?uploadId={upload}")) == "NoSuchUpload"
    assert not UploadedPart.objects.exists()
    with pytest.raises(ObjectMissing):
        asyncio.run(store.put_part(handle, 2, stream(b"y")))


def test_a_week_old_upload_is_given_up(asked, store):
    upload = begin(asked, "private/k")
    put_part(asked, "private/k", upload, 1, b"x")
    young = begin(asked, "private/young")
    MultipartUpload.objects.filter(key="k").update(created=timezone.now() - timedelta(days=8))
    sweep_store()
    assert [row.name for row in MultipartUpload.objects.all()] == [young]
    assert code(asked("PUT", f"private/k?partNumber=1&uploadId={upload}", body=b"x")) == "NoSuchUpload"


def test_a_condition_holds_at_the_end(asked):
    upload = begin(asked, "private/k")
    etags = {1: put_part(asked, "private/k", upload, 1, b"x")}
    asked("PUT", "private/k", body=b"first")
    answer = complete(asked, "private/k", upload, etags, headers={"if-none-match": "*"})
    assert code(answer) == "PreconditionFailed"
    assert asked("GET", "private/k").body == b"first"


def test_uploads_are_listed_in_pages(asked):
    names = {key: begin(asked, f"private/{key}") for key in ("b", "a", "c")}
    first = asked("GET", "private?uploads&max-uploads=2").text
    assert [key for key in names if f"<Key>{key}</Key>" in first] == ["b", "a"]
    assert "<NextKeyMarker>b</NextKeyMarker>" in first
    second = asked("GET", f"private?uploads&key-marker=b&upload-id-marker={names['b']}").text
    assert second.count("<Upload>") == 1
    assert names["c"] in second


def test_the_store_keeps_parts_apart_and_checks_the_whole(store):
    async def story() -> None:
        handle = await store.begin_parts()
        parts = [await store.put_part(handle, n, stream(data)) for n, data in ((2, b"b"), (1, b"a" * FULL))]
        whole = hashlib.md5(b"a" * FULL + b"b").hexdigest()
        with pytest.raises(DigestMismatch):
            await store.join_parts(handle, parts[::-1], md5s=frozenset({"0" * 32}))
        stored = await store.join_parts(handle, parts[::-1], md5s=frozenset({whole}))
        await store.forget_parts(handle)
        assert (stored.md5, stored.size) == (whole, FULL + 1)
        assert b"".join([piece async for piece in store.get(stored.key, FULL - 1, FULL + 1)]) == b"ab"
        gone = await store.begin_parts()
        await store.drop_parts(gone)
        with pytest.raises(ObjectMissing):
            await store.put_part(gone, 1, stream(b"x"))
        for handle in ("../../x", "nonsense", ""):
            with pytest.raises(ObjectMissing):
                await store.put_part(handle, 1, stream(b"x"))

    asyncio.run(story())


def test_of_two_that_end_it_one_wins(asked, private):
    """The row is the lock: an abort that comes first leaves nothing to complete."""
    upload = begin(asked, "private/k")
    put_part(asked, "private/k", upload, 1, b"x")
    row = MultipartUpload.objects.get()
    asyncio.run(uploads.abort(row))
    assert not StoredObject.objects.exists()
