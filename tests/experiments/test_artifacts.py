"""Artifacts: streamed, durable, inside the repository, never live."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from experiments.mlflow import artifacts
from hub.accounts.models import AccessToken
from hub.lib import streams
from tests.experiments.conftest import API

pytestmark = pytest.mark.django_db(transaction=True)
ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"


def place(run) -> str:
    return run["artifact_uri"].removeprefix("mlflow-artifacts:/")


def test_it_stores_and_serves(client):
    run = client.run()
    data = os.urandom(3_000_000)
    path = f"{ARTIFACTS}/{place(run)}/models/weights%20%C3%A9.bin"
    assert client.ask("PUT", path, body=[data[:100], data[100:]]).status == 200
    answer = client.ask("GET", path)
    assert (answer.status, hashlib.sha256(answer.body).digest()) == (200, hashlib.sha256(data).digest())
    listed = client.call("GET", f"artifacts/list?run_id={run['run_id']}&path=models")["files"]
    assert [(f["path"], f["file_size"]) for f in listed] == [("models/weights é.bin", 3_000_000)]
    assert client.ask("HEAD", path).headers["content-length"] == "3000000"


def test_a_cut_upload_leaves_nothing(client):
    run = client.run()
    path = f"{ARTIFACTS}/{place(run)}/half.bin"
    client.ask("PUT", path, body=[b"x" * 1000], cut=True)
    assert client.ask("GET", path).status == 404
    assert client.call("GET", f"artifacts/list?run_id={run['run_id']}").get("files", []) == []
    assert not list((settings.COVEY_HOME / "artifacts").glob(".incoming/*"))


def test_html_is_never_live(client):
    run = client.run()
    for name in ("page.html", "picture.svg"):
        client.ask("PUT", f"{ARTIFACTS}/{place(run)}/{name}", body=[b"<script>alert(1)</script>"])
        for path in (f"{ARTIFACTS}/{place(run)}/{name}", f"get-artifact?run_uuid={run['run_id']}&path={name}"):
            answer = client.ask("GET", path)
            assert answer.status == 200
            assert answer.headers["content-security-policy"].startswith("sandbox;")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-disposition"].startswith("attachment")


TRAVERSALS = [
    "..%2f..%2fcovey.sqlite3",
    "..%252f..%252fx",
    "%2e%2e/%2e%2e/x",
    "../../x",
    "..\\..\\x",
    "a;/../x",
    "%23/x",
]


@pytest.mark.parametrize("form", TRAVERSALS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_it_refuses_traversal(client, form, method):
    before = sorted(p for p in settings.COVEY_HOME.rglob("*") if p.is_file() and "sqlite3" not in p.name)
    assert client.ask(method, f"{ARTIFACTS}/{form}", body=[b"x"]).status in {400, 404}
    assert client.ask("GET", f"get-artifact?run_uuid={client.run()['run_id']}&path={form}").status in {400, 404}
    after = sorted(p for p in settings.COVEY_HOME.rglob("*") if p.is_file() and "sqlite3" not in p.name)
    assert before == after


def test_it_refuses_a_place_of_the_clients_choice(client):
    for location in ("file:///etc", "/etc", "s3://../..", "http:///#/../../../../etc/", "dbfs:/x"):
        answer = client.ask("POST", f"{API}/experiments/create", {"name": "evil", "artifact_location": location})
        assert answer.status == 400
        assert "artifact_location" in json.loads(answer.body)["message"]
    client.call("POST", "registered-models/create", {"name": "m"})
    run_id = client.run()["run_id"]
    for source in ("file:///etc", "/etc/passwd", "http:///#/../../etc", "mlflow-artifacts:/workspaces/r999999/1/x"):
        document = {"name": "m", "source": source, "run_id": run_id}
        assert client.ask("POST", f"{API}/model-versions/create", document).status == 400, source
        prompt = {**document, "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}
        assert client.ask("POST", f"{API}/model-versions/create", prompt).status in {200, 400}, source
        assert client.ask("GET", "model-versions/get-artifact?path=passwd&name=m&version=1").status in {400, 404}


def test_a_file_is_not_also_a_folder(client):
    run = client.run()
    assert client.ask("PUT", f"{ARTIFACTS}/{place(run)}/a", body=[b"x"]).status == 200
    answer = client.ask("PUT", f"{ARTIFACTS}/{place(run)}/a/b", body=[b"x"])
    assert answer.status == (200 if settings.COVEY_S3_ENDPOINT else 409)  # the keys of S3 are no tree: both may exist
    assert client.ask("PUT", f"{ARTIFACTS}/{place(run)}/{'n' * 300}", body=[b"x"]).status == 400


def test_what_dead_uploads_left_is_swept(tmp_path):
    folder = artifacts.Folder(tmp_path)
    folder._ready()
    old, young = tmp_path / ".incoming/old", tmp_path / ".incoming/young"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    assert folder.sweep() == 1
    assert [path.name for path in (tmp_path / ".incoming").iterdir()] == ["young"]


def test_an_upload_whose_token_was_revoked_meanwhile_is_not_kept(client, monkeypatch):
    def pieces() -> Iterator[bytes]:
        yield b"half"
        with ThreadPoolExecutor(1) as other:
            other.submit(revoke).result()
        yield b"half"

    def revoke() -> None:
        AccessToken.objects.update(revoked=timezone.now())
        connection.close()

    monkeypatch.setattr(streams, "CONFIRM_SECONDS", -1)
    run = client.run()
    answer = client.ask("PUT", f"{ARTIFACTS}/{place(run)}/late.bin", body=pieces())
    assert answer.status == 401
    assert "revoked" in answer.text
    AccessToken.objects.update(revoked=None)
    assert client.ask("GET", f"{ARTIFACTS}/{place(run)}/late.bin").status == 404
