"""A hub whose disk is full says so, breaks nothing, and goes on once there is room again."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import killing
from tests.support.crashes import Stage, git, make_stage, wait_for_git
from tests.support.hub import embedded_hub

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]
DISK_MIB = 96


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"this container may not mount: {done.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(scope="module")
def stage(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    hub = embedded_hub(disk)
    try:
        yield make_stage(hub.start(), tmp_path_factory.mktemp("scratch"))
    finally:
        hub.stop()


@pytest.fixture
def full(disk: Path) -> Iterator[Path]:
    """A file that leaves 3 MiB; remove it to make room."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - 3 * 1024**2))
    yield ballast
    ballast.unlink(missing_ok=True)


def object_url(stage: Stage, data: bytes) -> str:
    oid = hashlib.md5(data).hexdigest()
    return f"{stage.address}.dvc/files/md5/{oid[:2]}/{oid[2:]}"


def test_an_upload_says_that_the_disk_is_full_and_leaves_nothing(stage, disk, full):
    data = os.urandom(8 * 1024**2)
    answer = httpx.post(object_url(stage, data), content=data, auth=stage.auth, timeout=60)
    assert answer.status_code == 507
    assert "full" in answer.text
    assert list((disk / "objects/tmp").iterdir()) == []
    assert httpx.get(object_url(stage, data), auth=stage.auth, timeout=60).status_code == 404
    assert httpx.get(f"{stage.hub.url}/explore", timeout=60).status_code == 200
    full.unlink()
    assert httpx.post(object_url(stage, data), content=data, auth=stage.auth, timeout=60).status_code == 201
    assert httpx.get(object_url(stage, data), auth=stage.auth, timeout=60).content == data


def test_a_push_says_that_the_disk_is_full_and_moves_nothing(stage, disk, full):
    clone = stage.scratch / "clone"
    git("init", "-q", "-b", "main", str(clone))
    (clone / "large.bin").write_bytes(os.urandom(8 * 1024**2))
    git("add", "-A", folder=clone)
    git("commit", "-q", "-m", "large", folder=clone)
    address = stage.address.replace("://", f"://any:{stage.token}@") + ".git"
    refused = git("push", address, "main", folder=clone, check=False)
    assert refused.returncode
    assert "No space left on device" in refused.stderr
    wait_for_git(stage.path)
    assert git("for-each-ref", folder=stage.path).stdout == ""
    assert list(stage.path.glob("objects/tmp_*")) == []
    full.unlink()
    git("push", "-q", address, "main", folder=clone)
    assert git("fsck", "--full", "--strict", folder=stage.path).returncode == 0


def test_afterwards_everything_settles(stage):
    assert killing.settled(stage) == []
