"""What people see of a limit, and of a damaged object, in the terminals of dvc and boto3."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest

from tests.support.dvc import Clone, Remote, md5
from tests.support.hub import ROOT, Hub
from tests.support.s3_programs import Repository

pytestmark = pytest.mark.client
DAMAGE = """
import django, sys
django.setup()
from django.utils import timezone
from datasets.models import Blob
assert Blob.objects.filter(md5=sys.argv[1]).update(rotten=timezone.now(), checked=timezone.now())
"""


def damage(hub: Hub, data: bytes) -> None:
    """As the scrub writes it down."""
    environment = {**hub.environment, "DJANGO_SETTINGS_MODULE": "hub.settings"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", DAMAGE, md5(data)], cwd=ROOT, env=environment, check=True)


def name_of(url: str) -> str:
    return "/".join(url.rsplit("/", 2)[1:])


def test_dvc_says_that_there_is_no_room_and_goes_on_when_there_is(hub: Hub, remote: Remote, clone: Clone) -> None:
    hub.covey("admin", "set-data-limit", name_of(remote.url), "1000000")
    clone.remote(remote, remote.token)
    large = os.urandom(1_500_000)
    clone.write({"small.bin": b"small", "large.bin": large})
    clone.dvc("add", "small.bin", "large.bin")
    refused = clone.dvc("push", check=False)
    assert refused.returncode
    assert "507" in refused.stdout
    assert "Insufficient Storage" in refused.stdout
    assert remote.object(large).status_code == 404
    assert remote.object(b"small").status_code == 200
    hub.covey("admin", "set-data-limit", name_of(remote.url), "default")
    clone.dvc("push")
    assert remote.object(large).content == large


def test_boto3_says_that_there_is_no_room(hub: Hub, repository: Repository, tmp_path) -> None:
    hub.covey("admin", "set-data-limit", f"sue/{repository.name}", "1000000")
    told = repository.run("quota", tmp_path)
    assert "(QuotaExceeded)" in told
    assert "Settings → Storage" in told


def test_a_plain_push_mends_a_damaged_object(hub: Hub, remote: Remote, clone: Clone) -> None:
    data = os.urandom(1000)
    clone.remote(remote, remote.token)
    clone.write({"a.bin": data})
    clone.dvc("add", "a.bin")
    clone.dvc("push")
    damage(hub, data)
    assert remote.object(data).status_code == 404
    assert "new:" in clone.dvc("status", "-c").stdout
    clone.dvc("push")
    assert remote.object(data).content == data


def test_a_plain_push_mends_a_damaged_file_of_a_folder(hub: Hub, remote: Remote, clone: Clone) -> None:
    data, other = os.urandom(1000), os.urandom(1000)
    clone.remote(remote, remote.token)
    clone.write({"images/a.bin": data, "images/b.bin": other})
    clone.dvc("add", "images")
    clone.dvc("push")
    damage(hub, data)
    assert "new:" in clone.dvc("status", "-c").stdout
    clone.dvc("push")
    assert remote.object(data).content == data
    assert "in sync" in clone.dvc("status", "-c").stdout


def test_a_plain_push_brings_the_files_of_a_folder_whose_list_came_alone(remote: Remote, clone: Clone) -> None:
    data, other = os.urandom(1000), os.urandom(1000)
    clone.remote(remote, remote.token)
    clone.write({"images/a.bin": data, "images/b.bin": other})
    clone.dvc("add", "images")
    (listed,) = (clone.folder / ".dvc/cache/files/md5").glob("*/*.dir")
    address = f"{remote.url}.dvc/files/md5/{listed.parent.name}/{listed.name}"
    sent = httpx.put(address, content=listed.read_bytes(), auth=("any", remote.token))
    assert sent.status_code == 201, "other tools send the list first"
    remote.object(other, method="PUT", content=other).raise_for_status()
    assert "new:" in clone.dvc("status", "-c").stdout
    clone.dvc("push")
    assert remote.object(data).content == data
    assert "in sync" in clone.dvc("status", "-c").stdout
