"""COVEY_S3_PRESIGN: the real dvc fetches from the store itself, at addresses that the hub gives to readers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support import services
from tests.support.dvc import Clone, Remote
from tests.support.hub import Hub, embedded_hub

pytestmark = pytest.mark.client
FILES = {f"images/{n}.bin": b"%d" % n * 50_000 for n in range(20)} | {"one.bin": b"one file " * 1000, "empty.bin": b""}


@pytest.fixture(scope="module")
def presigning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    home = tmp_path_factory.mktemp("presigning")
    hub = embedded_hub(home / "hub", ready=True)
    hub.environment |= services.own_store(home / "store") | {"COVEY_S3_PRESIGN": "1"}
    try:
        yield hub.start()
    finally:
        hub.stop()


@pytest.fixture(scope="module")
def people(presigning: Hub) -> tuple[str, str]:
    token, stranger = presigning.user("dana"), presigning.user("mallory")
    presigning.repository(token, "data")
    return token, stranger


@pytest.fixture
def pushed(presigning: Hub, people: tuple[str, str], clone: Clone) -> Remote:
    remote = Remote(f"{presigning.url}/dana/data", *people)
    clone.remote(remote, remote.token)
    clone.write(FILES)
    clone.dvc("add", "images", "one.bin", "empty.bin")
    clone.dvc("push")
    return remote


def test_dvc_pulls_from_the_store(presigning: Hub, pushed: Remote, clone: Clone) -> None:
    clone.forget("images", "one.bin", "empty.bin")
    clone.dvc("pull")
    assert {name: (clone.folder / name).read_bytes() for name in FILES} == FILES
    assert "in sync" in clone.dvc("status", "-c").stdout
    clone.forget()
    clone.dvc("get", ".", "images/7.bin", "-o", "seven.bin")
    assert (clone.folder / "seven.bin").read_bytes() == FILES["images/7.bin"]


def test_only_who_may_read_is_told_where(presigning: Hub, pushed: Remote) -> None:
    data = FILES["one.bin"]
    told = pushed.object(data)
    assert told.status_code == 307
    where = told.headers["location"]
    assert where.startswith(presigning.environment["COVEY_S3_ENDPOINT"])
    assert pushed.token not in where
    assert httpx.get(where, timeout=60).content == data
    assert httpx.get(where, headers={"range": "bytes=4-7"}, timeout=60).content == data[4:8]
    assert pushed.object(data, pushed.stranger).status_code == 404
    assert pushed.object(data, "covey_wrong").status_code == 401
    head = pushed.object(data, method="HEAD")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(data)))
