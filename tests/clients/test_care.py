"""What people see of a limit in the terminal of dvc."""
# ruff: noqa: F811  fixtures of other modules

from __future__ import annotations

import os

import pytest

from tests.clients.test_dvc import Clone, Remote, clone, people, remote  # noqa: F401  fixtures of theirs
from tests.support.hub import Hub

pytestmark = pytest.mark.client


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
