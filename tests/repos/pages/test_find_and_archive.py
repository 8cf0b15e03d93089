"""The file finder and the download of archives."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from asgiref.sync import async_to_sync

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


def found(client, letters):
    return client.get(f"{BASE}/find/main", {"q": letters}, headers={"accept": "application/json"}).json()["files"]


def test_it_finds_by_letters_in_order(project, alice, as_user):
    client = as_user(alice)
    assert [file["path"] for file in found(client, "mdl")] == ["src/model.py"]
    assert found(client, "README")[0]["url"] == f"{BASE}/blob/main/README.md"
    assert found(client, "zzz") == []
    assert found(client, "[.*(\\") == []
    assert len(found(client, "")) == 4


def test_the_page_works_without_scripts(project, alice, as_user):
    assert "src/deep/er/x.txt" in as_user(alice).get(f"{BASE}/find/main?q=xtxt").content.decode()
    assert as_user(alice).get(f"{BASE}/find/main/src").status_code == 404


def body(answer) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(read)()


def test_archives_hold_the_files_of_a_rev(project, alice, as_user):
    project.commit({"only": "here"}, branch="feature/x")
    answer = as_user(alice).get(f"{BASE}/archive/main.zip")
    assert answer["Content-Disposition"] == 'attachment; filename="private-main.zip"'
    assert "private-main/src/model.py" in zipfile.ZipFile(io.BytesIO(body(answer))).namelist()
    answer = as_user(alice).get(f"{BASE}/archive/feature/x.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(body(answer))) as tar:
        assert "private-feature-x/only" in tar.getnames()


@pytest.mark.parametrize(
    "rest", ["main", "main.rar", "nope.zip", ".zip", "--output=x.zip", "main/src.zip", "-v.tar.gz"]
)
def test_it_refuses_what_is_no_archive(project, alice, as_user, rest):
    assert as_user(alice).get(f"{BASE}/archive/{rest}").status_code == 404
