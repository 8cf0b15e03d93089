"""The unmodified dvc command against a running hub: push, pull, two stores, hostile ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from repos import starting
from tests.support.dvc import Clone, Remote, md5

pytestmark = pytest.mark.client
FILES = {
    "data/a.txt": b"alpha",
    "data/sub/b.bin": bytes(range(256)) * 5000,
    "data/empty": b"",
    "data/ünïcødé 文件 +%#&.txt": b"names",
}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_directory_goes_up_and_comes_back(remote, clone, method):
    clone.remote(remote, remote.token, method=method)
    clone.write(FILES)
    clone.dvc("add", "data")
    assert "new:" in clone.dvc("status", "-c").stdout
    clone.dvc("push")
    assert "up to date" in clone.dvc("push").stdout
    clone.forget("data")
    clone.dvc("pull")
    assert {name: (clone.folder / name).read_bytes() for name in FILES} == FILES
    assert "in sync" in clone.dvc("status", "-c").stdout


def test_a_large_file_goes_up_and_comes_back(remote, clone):
    data = os.urandom(1 << 20) * 70
    clone.remote(remote, remote.token)
    clone.write({"big.bin": data})
    clone.dvc("add", "big.bin")
    clone.dvc("push")
    clone.forget("big.bin")
    clone.dvc("pull")
    assert md5((clone.folder / "big.bin").read_bytes()) == md5(data)


def test_a_wrong_token_stores_nothing(remote, clone):
    clone.remote(remote, remote.token + "x")
    clone.write({"f": b"refused"})
    clone.dvc("add", "f")
    done = clone.dvc("push", check=False)
    assert done.returncode != 0
    assert "401" in done.stdout
    assert remote.object(b"refused").status_code == 404


def test_a_stranger_neither_pushes_nor_pulls(remote, clone):
    clone.remote(remote, remote.token)
    clone.write({"f": b"private bytes"})
    clone.dvc("add", "f")
    clone.dvc("push")
    clone.remote(remote, remote.stranger)
    clone.write({"g": b"intruder"})
    clone.dvc("add", "g")
    done = clone.dvc("push", "g.dvc", check=False)
    assert done.returncode != 0
    assert "failed to push" in done.stdout  # what dvc makes of a 404
    clone.forget("f")
    assert clone.dvc("pull", "f.dvc", check=False).returncode != 0
    assert remote.object(b"intruder").status_code == 404


def test_public_data_is_pulled_without_a_token(hub, people, clone):
    hub.repository(people[0], "open", private=False)
    open_ = Remote(f"{hub.url}/dana/open", *people)
    clone.remote(open_, open_.token)
    clone.write({"f": b"for everybody"})
    clone.dvc("add", "f")
    clone.dvc("push")
    (clone.folder / ".dvc/config.local").unlink()
    (clone.folder / ".dvc/config").write_bytes(starting.dvc_files(f"{open_.url}.dvc")[".dvc/config"])
    clone.forget("f")
    clone.dvc("pull")
    assert (clone.folder / "f").read_bytes() == b"for everybody"


def test_a_push_that_was_killed_can_be_finished(remote, clone):
    data = os.urandom(1 << 20) * 60
    clone.remote(remote, remote.token)
    clone.write({"cut.bin": data})
    clone.dvc("add", "cut.bin")
    push = clone.start("push")
    time.sleep(2)
    push.send_signal(signal.SIGKILL)
    push.communicate(timeout=20)
    found = remote.object(data)
    assert found.status_code == 404 or found.content == data  # nothing, or all of it
    clone.dvc("push")
    assert remote.object(data).content == data


def test_two_clones_push_the_same_files_at_once(remote, clone, tmp_path):
    other = Clone(tmp_path / "second" / "clone", clone.bin)
    other.folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", other.folder], check=True)
    other.dvc("init", "-q")
    for one in (clone, other):
        one.remote(remote, remote.token)
        one.write({f"data/{n}": b"%d" % n * 1000 for n in range(60)})
        one.dvc("add", "data")
    pushes = [one.start("push") for one in (clone, other)]
    outputs = [push.communicate(timeout=120)[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0, 0], outputs
    clone.forget("data")
    clone.dvc("pull")
    assert (clone.folder / "data/7").read_bytes() == b"7" * 1000
