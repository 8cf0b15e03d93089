"""A hub whose disk is full says so, breaks nothing, and goes on once there is room again."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
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
MOST_SIGN_INS = 500


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


def signed_in(stage: Stage) -> httpx.Client:
    """A browser of kim's, as far as forms go."""
    browser = httpx.Client(base_url=stage.hub.url, follow_redirects=True, timeout=60)
    form = {"login": "kim", "password": "correct horse battery"}
    browser.post("/account/login", data={**form, **token_on(browser.get("/account/login"))})
    return browser


def token_on(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found, page.text
    return {"csrfmiddlewaretoken": found[1]}


def tip_of(stage: Stage) -> str:
    return git("rev-parse", "main", folder=stage.path).stdout.strip()


def test_a_web_edit_says_so_and_keeps_the_text(stage, disk, full):
    with closing(signed_in(stage)) as browser:
        before, address = tip_of(stage), f"/{stage.name}/new/main"
        text = base64.b64encode(os.urandom(5 * 1024**2)).decode()
        form = {"path": "notes.txt", "text": text, "message": "Notes", "branch": "main"}
        page = browser.post(address, data={**form, **token_on(browser.get(address))})
        assert page.status_code == 507
        assert "disk is full" in page.text
        assert text[:1000] in page.text
        assert tip_of(stage) == before
        full.unlink()
        page = browser.post(address, data={**form, **token_on(browser.get(address))})
        assert page.status_code == 200
        assert tip_of(stage) != before


def test_signing_in_says_so_and_works_once_there_is_room(stage, disk, full):
    with contextlib.suppress(OSError), open(disk / "last-bytes", "wb") as last:
        while True:
            last.write(b"\0" * 4096)
            last.flush()
    form = {"login": "kim", "password": "correct horse battery"}
    answers = []
    for _ in range(MOST_SIGN_INS):  # the log of the database has room for some
        with httpx.Client(base_url=stage.hub.url, timeout=60) as browser:
            answers.append(browser.post("/account/login", data={**form, **token_on(browser.get("/account/login"))}))
        if answers[-1].status_code != 302:
            break
    assert {answer.status_code for answer in answers} <= {302, 507}
    assert answers[-1].status_code == 507
    assert "disk is full" in answers[-1].text
    (disk / "last-bytes").unlink(missing_ok=True)
    full.unlink()
    with closing(signed_in(stage)) as browser:
        assert "Sign out" in browser.get("/").text


@pytest.mark.parametrize("versioning", ["git", "dvc"])
def test_an_upload_by_the_api_says_so_and_commits_nothing(stage, disk, full, versioning):
    before, data = tip_of(stage), os.urandom(6 * 1024**2)
    address = f"{stage.hub.url}/api/v1/repos/{stage.name}/content/main/{versioning}"
    form = {"files": {"files": ("a.bin", data)}, "data": {"versioning": versioning}, "auth": stage.auth, "timeout": 60}
    refused = httpx.put(address, **form)
    assert refused.status_code == 507
    assert "disk is full" in refused.text
    assert tip_of(stage) == before
    assert list((disk / "tmp").glob("upload-*")) == []
    full.unlink()
    assert httpx.put(address, **form).status_code == 200


def test_an_upload_in_the_browser_says_so_and_commits_nothing(stage, disk, full):
    with closing(signed_in(stage)) as browser:
        before, address = tip_of(stage), f"/{stage.name}/upload/main"
        form = {"message": "Data", "branch": "main", **token_on(browser.get(address))}
        sent = {
            "files": {"files": ("b.bin", os.urandom(6 * 1024**2))},
            "data": form,
            "headers": {"Origin": stage.hub.url, "X-CSRFToken": form["csrfmiddlewaretoken"]},
        }
        refused = browser.post(address, **sent)
        assert refused.status_code == 507, refused.text
        assert "disk is full" in refused.text
        assert tip_of(stage) == before


def test_mlflow_says_so_and_keeps_batches_whole(stage, disk, full):
    api = f"{stage.address}.mlflow/api/2.0/mlflow"
    run = httpx.post(f"{api}/runs/create", json={"experiment_id": "0"}, auth=stage.auth, timeout=120).json()["run"]
    run_id, place = run["info"]["run_id"], run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    address = f"{api}-artifacts/artifacts/{place}/model.bin"
    refused = httpx.put(address, content=os.urandom(8 * 1024**2), auth=stage.auth, timeout=60)
    assert refused.status_code == 507
    assert "disk is full" in refused.json()["message"]
    assert list((disk / "artifacts/.incoming").iterdir()) == []
    acknowledged = 0
    for number in range(100):
        metrics = [{"key": f"m{i}", "value": i / 7, "timestamp": number, "step": number} for i in range(1000)]
        answer = httpx.post(
            f"{api}/runs/log-batch", json={"run_id": run_id, "metrics": metrics}, auth=stage.auth, timeout=60
        )
        if answer.status_code != 200:
            break
        acknowledged += 1
    assert answer.status_code == 507, answer.text
    assert "disk is full" in answer.json()["message"]
    assert "INSERT" not in answer.text
    full.unlink()
    history = f"{api}/metrics/get-history?run_id={run_id}&metric_key=m999"
    kept = httpx.get(history, auth=stage.auth, timeout=60).json().get("metrics", [])
    assert len(kept) == acknowledged
    again = httpx.post(
        f"{api}/runs/log-batch", json={"run_id": run_id, "metrics": metrics}, auth=stage.auth, timeout=60
    )
    assert again.status_code == 200


def test_afterwards_everything_settles(stage):
    assert killing.settled(stage) == []
