"""A limit of a repository's data: refused before bytes are taken, and nothing half-done, on every way in."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from datasets import tasks
from datasets.models import Blob, MultipartUpload, StorageCount, StoredObject
from datasets.storage import quotas
from hub import administration
from hub.lib.errors import Unprocessable
from repos.models import Repository
from tests.datasets.s3.test_objects import code
from tests.datasets.test_remote import address
from tests.support import s3
from tests.support.asgi import ask, basic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]
KIB = 1024


@pytest.fixture
def limited(private, settings):
    """alice/private may keep 10 KiB."""
    settings.DATA_MAX_REPOSITORY_BYTES = 10 * KIB
    return private


@pytest.fixture
def token(bob, token_of):
    return token_of(bob)


@pytest.fixture
def push(limited, token, folder):
    return lambda data, **options: ask("PUT", address(data, **options), headers=basic(token), body=[data])


@pytest.fixture
def asked(limited, token, folder):
    return lambda method, path, **options: s3.call(method, f"/alice/private.s3/{path}", token, **options)


def data(kib: int) -> bytes:
    return os.urandom(kib * KIB)


def settled(folder, *, objects: int) -> None:
    """As many as these, and nothing else in the store or half-done."""
    assert StoredObject.objects.count() == objects
    assert Blob.objects.count() == objects
    assert len(list(folder.list())) == objects
    assert os.listdir(folder.temporary) == []
    total = sum(StoredObject.objects.values_list("blob__size", flat=True))
    assert list(StorageCount.objects.values_list("size", flat=True)) in ([total], [])


def test_dvc_is_refused_what_is_too_much(push, folder):
    first = data(6)
    assert push(first).status == 201
    answer = push(data(5))
    assert answer.status == 507
    assert "may keep 10.0" in answer.text
    assert "Settings → Storage" in answer.text
    settled(folder, objects=1)
    assert push(first).status == 200  # what is here may come again
    assert push(data(4)).status == 201  # to the last byte
    assert push(b"x").status == 507
    assert push(b"").status == 201
    settled(folder, objects=3)


def test_a_long_body_is_cut_while_it_comes(limited, token, folder):
    """DVC sends no length: the body ends at the limit, not on the disk."""
    taken = []

    def endless():
        for _ in range(1000):
            taken.append(1)
            yield b"x" * KIB * 64

    body = list(endless())
    answer = ask("PUT", address(b"".join(body)), headers=basic(token), body=body)
    assert answer.status == 507
    settled(folder, objects=0)


def test_uploads_at_once_cannot_pass_the_limit_together(push, folder):
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: push(data(4)).status, range(4)))
        pool.map(lambda _: connection.close(), range(4))
    assert sorted(statuses) == [201, 201, 507, 507]
    settled(folder, objects=2)


def test_s3_says_quota_exceeded(asked, folder):
    assert asked("PUT", "private/a", body=data(6)).status == 200
    refused = asked("PUT", "private/b", body=data(5))
    assert (refused.status, code(refused)) == (507, "QuotaExceeded")
    assert "may keep 10.0" in refused.text
    settled(folder, objects=1)
    assert asked("PUT", "private/a", body=data(2)).status == 200  # in the place of the larger one
    assert asked("PUT", "private/b", body=data(8)).status == 200
    settled(folder, objects=2)
    copy = {"x-amz-copy-source": "/private/b"}
    assert code(asked("PUT", "private/c", headers=copy)) == "QuotaExceeded"
    assert asked("DELETE", "private/b").status == 204
    assert asked("PUT", "private/c", body=data(8)).status == 200
    settled(folder, objects=2)


def test_a_body_of_untold_length_is_cut_too(asked, limited, folder):
    untold = {"content-length": "", "transfer-encoding": "chunked"}
    assert asked("PUT", "private/a", body=data(6), headers=untold).status == 200
    assert code(asked("PUT", "private/b", body=data(5), headers=untold)) == "QuotaExceeded"
    settled(folder, objects=1)
    upload = asked("POST", "private/m?uploads").text.partition("<UploadId>")[2].partition("</UploadId>")[0]
    part = f"private/m?partNumber=1&uploadId={upload}"
    assert code(asked("PUT", part, body=data(5), headers=untold)) == "QuotaExceeded"
    assert asked("PUT", part, body=data(4), headers=untold).status == 200
    assert asked("DELETE", f"private/m?uploadId={upload}").status == 204
    settled(folder, objects=1)


def test_parts_count_when_they_come(asked, limited, folder):
    text = asked("POST", "private/m?uploads").text
    upload = text.partition("<UploadId>")[2].partition("</UploadId>")[0]
    assert asked("PUT", f"private/m?partNumber=1&uploadId={upload}", body=data(6)).status == 200
    assert asked("PUT", f"private/m?partNumber=1&uploadId={upload}", body=data(7)).status == 200  # again
    assert code(asked("PUT", f"private/m?partNumber=2&uploadId={upload}", body=data(4))) == "QuotaExceeded"
    part = MultipartUpload.objects.get().parts.get()
    asked("PUT", "private/other", body=data(5))
    named = f'<Part><PartNumber>1</PartNumber><ETag>"{part.md5}"</ETag></Part>'
    body = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>"
    refused = asked("POST", f"private/m?uploadId={upload}", body=body.encode())
    assert code(refused) == "QuotaExceeded"
    settled(folder, objects=1)
    assert asked("DELETE", f"private/m?uploadId={upload}").status == 204


def test_an_upload_by_the_api_is_refused_whole(limited, token, folder, writer):
    made = writer(limited)
    made.commit({"README.md": "x"})
    parts = [
        f'--x\r\ncontent-disposition: form-data; name="files"; filename="{n}.bin"\r\n\r\n'.encode() + data(6)
        for n in "ab"
    ]
    body = b"\r\n".join([*parts, b'--x\r\ncontent-disposition: form-data; name="versioning"\r\n\r\ndvc', b"--x--\r\n"])
    headers = {**basic(token), "content-type": "multipart/form-data; boundary=x"}
    answer = ask("PUT", "/api/v1/repos/alice/private/content/main/d", headers=headers, body=[body])
    assert answer.status == 507
    assert "may keep 10.0" in json.loads(answer.text)["error"]
    settled(folder, objects=0)
    assert made.git("rev-parse", "main") == made.tips["main"]


def test_its_own_limit_goes_before_the_hubs(push, limited, folder):
    assert push(data(9)).status == 201
    administration.set_data_limit("alice/private", str(20 * KIB))
    assert push(data(9)).status == 201
    administration.set_data_limit("alice/private", "0")
    assert push(data(9)).status == 201
    assert quotas.room(Repository.objects.get(pk=limited.pk)) is None
    administration.set_data_limit("alice/private", "default")
    assert push(data(1)).status == 507  # counted anew: what came while there was none counts too
    with pytest.raises(Unprocessable):
        administration.set_data_limit("alice/private", "10 GB")
    assert StoredObject.objects.count() == 3


def test_a_count_that_is_wrong_is_mended(push, limited, public):
    push(data(3))
    StorageCount.objects.update(size=1)
    with transaction.atomic():
        quotas.locked(public.pk)
    Repository.objects.filter(pk=public.pk).update(data_limit_bytes=0)
    tasks.recount_storage()
    assert StorageCount.objects.get().size == 3 * KIB
    call_command("check")


def test_without_a_limit_nothing_is_counted(private, token, folder):
    assert ask("PUT", address(b"x"), headers=basic(token), body=[b"x"]).status == 201
    assert not StorageCount.objects.exists()
