"""Both kinds of store, real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hub.lib.objectstore import FolderStore, ObjectStore, S3Store
from tests.support import services


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A SeaweedFS of its own (all are stopped when the run ends): COVEY_S3_… settings that point at it."""
    return services.seaweedfs(tmp_path_factory.mktemp("s3") / "seaweedfs")


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


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def streamed() -> Callable[..., AsyncIterator[bytes]]:
    return stream
