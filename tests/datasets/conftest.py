"""Both kinds of store, real."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datasets import objects
from datasets.dvc import keys, manifests
from hub.lib import stores
from hub.lib.objectstore import FolderStore, ObjectStore, S3Store
from repos.models import Repository
from tests.support import services


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """COVEY_S3_… settings that point at a store of these tests' own."""
    return services.own_store(tmp_path_factory.mktemp("s3") / "seaweedfs")


@pytest.fixture(params=["folder", "s3", "s3-boto3-only"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    found = request.getfixturevalue("seaweedfs")
    return S3Store(
        endpoint=found["COVEY_S3_ENDPOINT"],
        bucket=found["COVEY_S3_BUCKET"],
        access_key=found["COVEY_S3_ACCESS_KEY"],
        secret_key=found["COVEY_S3_SECRET_KEY"],
        use_obstore=request.param == "s3",
    )


@pytest.fixture(params=["folder", "s3"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Iterator[None]:
    """The hub's store is a new folder, or a bucket."""
    settings.OBJECTS_ROOT, settings.COVEY_S3_ENDPOINT = tmp_path / "objects", ""
    if request.param == "s3":
        for name, value in request.getfixturevalue("seaweedfs").items():
            setattr(settings, name, value)
    stores.object_store.cache_clear()
    yield
    stores.object_store.cache_clear()


@pytest.fixture
def nothing_kept(settings: Any) -> None:
    """Results are named by the repository's number, which every test begins at 1 again."""
    for place in Path(settings.COVEY_HOME).glob("cache/results-*"):
        shutil.rmtree(place)


@pytest.fixture
def keep(folder: FolderStore) -> Callable[..., str]:
    """keep(repository, data, suffix=, legacy=) → the oid under which the repository now has these bytes."""

    def make(repository: Repository, data: bytes, *, suffix: str = "", legacy: bool = False) -> str:
        stored = asyncio.run(folder.put(stream(data)))
        oid = stored.md5 + suffix
        objects.publish(repository.pk, keys.BUCKET, keys.key_of(oid, legacy=legacy), stored)
        return oid

    return make


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def streamed() -> Callable[..., AsyncIterator[bytes]]:
    return stream


@pytest.fixture
def folder_of(private: Repository, keep: Callable[..., str]) -> Callable[..., str]:
    """folder_of({"a.txt": b"…"}) → the pointer of a folder whose files are here."""

    def make(files: dict[str, bytes], *, lacks: str = "") -> str:
        md5s = {
            name: hashlib.md5(data).hexdigest() if name == lacks else keep(private, data)
            for name, data in files.items()
        }
        oid = keep(private, manifests.dumps(md5s.items()), suffix=".dir")
        return f"outs:\n- md5: {oid}\n  nfiles: {len(files)}\n  hash: md5\n  path: images\n"

    return make
