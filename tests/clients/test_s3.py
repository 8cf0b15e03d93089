"""Unmodified S3 programs against a running hub, over http and TLS, with the token as both keys and with a made pair."""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
import subprocess

import httpx
import pytest

from tests.clients.test_dvc import FILES
from tests.support import clients, tls
from tests.support.dvc import Clone, md5
from tests.support.s3_programs import Repository

pytestmark = pytest.mark.client


@pytest.fixture
def paired(repository: Repository) -> Repository:
    """With a made pair instead."""
    made = httpx.post(
        f"{repository.hub}/api/v1/user/tokens",
        json={"name": "pair", "s3": True, "days": 1},
        headers={"Authorization": f"Bearer {repository.token}"},
        timeout=60,
    )
    made.raise_for_status()
    repository.key, repository.secret = made.json()["access_key_id"], made.json()["secret_access_key"]
    return repository


def test_boto3(repository, tmp_path):
    out = repository.run("boto3", tmp_path)
    assert out.count("boto3 http") == 3
    assert "The body is not the object that its key names" in out  # what a person reads in the terminal
    assert "dvc status" in out


def test_boto3_over_tls_with_a_pair(paired, tmp_path):
    """boto3 sends its unsigned chunks with a trailer only here."""
    with tls.front(paired.hub, tmp_path) as (address, certificate):
        paired.hub, paired.certificate = address, str(certificate)
        assert paired.run("boto3", tmp_path).count("boto3 https") == 3
        paired.run("s3fs", tmp_path)


def test_the_lines_that_the_data_page_teaches(repository, tmp_path):
    headers = {"Authorization": f"Bearer {repository.token}"}
    address = f"{repository.hub}/api/v1/repos/sue/{repository.name}"
    httpx.patch(address, json={"private": False}, headers=headers, timeout=60).raise_for_status()
    page = httpx.get(f"{repository.hub}/sue/{repository.name}/data", timeout=60).text
    taught = [html.unescape(lines) for lines in re.findall("<code>(.*?)</code></pre>", page, re.DOTALL)]
    shell = next(lines for lines in taught if "AWS_ENDPOINT_URL" in lines)
    (tmp_path / "use.py").write_text(next(lines for lines in taught if lines.startswith("import boto3")))
    (tmp_path / "model.bin").write_bytes(b"weights")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    script = f"{shell.replace('YOUR-ACCESS-TOKEN', repository.token)}\n{clients.environment('s3') / 'python'} use.py"
    subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=environment, check=True, timeout=120)
    kept = httpx.get(f"{address}/storage/raw/s3/{repository.name}/models/model.bin", headers=headers, timeout=60)
    assert kept.content == b"weights"


@pytest.mark.parametrize("library", ["s3fs", "pyarrow", "polars", "obstore", "minio", "threads"])
def test_libraries(paired, tmp_path, library):
    assert library in paired.run(library, tmp_path)


def test_rclone(repository, tmp_path):
    rclone = shutil.which("rclone")
    if rclone is None:
        assert not os.environ.get("CI"), "rclone is not installed; .ci/run installs it where it may"
        pytest.skip("rclone is not installed")
    config = tmp_path / "rclone.conf"
    config.write_text(
        "[hub]\ntype = s3\nprovider = Other\nregion = us-east-1\nforce_path_style = true\n"
        f"access_key_id = {repository.key}\nsecret_access_key = {repository.secret}\n"
        f"endpoint = {repository.hub}/sue/{repository.name}.s3\n"
    )

    def run(*arguments: str, code: int = 0) -> str:
        options = ["--config", str(config), "--retries", "1", "--s3-chunk-size", "5M", "--s3-upload-cutoff", "5M"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(
            [rclone, *options, *arguments], env=environment, text=True, capture_output=True, timeout=180
        )
        assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    files = {"a.txt": b"a", "d/ünï +%#&.txt": b"b", "d/empty": b"", "d/big": os.urandom(12_000_000)}
    for path, data in files.items():
        place = tmp_path / "local" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    there = f"hub:{repository.name}/copy"
    assert repository.name in run("lsd", "hub:")
    run("sync", str(tmp_path / "local"), there)
    run("check", "--download", str(tmp_path / "local"), there)
    run("copy", there, str(tmp_path / "back"))
    assert {p: (tmp_path / "back" / p).read_bytes() for p in files} == files
    run("move", f"{there}/d", f"hub:{repository.name}/moved")
    assert "empty" in run("ls", f"hub:{repository.name}/moved")
    run("delete", f"hub:{repository.name}")
    assert run("ls", f"hub:{repository.name}") == ""
    assert "NoSuchBucket" in run("copy", str(tmp_path / "local"), "hub:absent", "--s3-no-check-bucket", code=1)


# ---- DVC's own S3 remote ---------------------------------------------------------------------------
@pytest.fixture
def s3_clone(clone: Clone, repository: Repository) -> Clone:
    clone.dvc("remote", "add", "--default", "s3", "s3://dvc")
    clone.dvc("remote", "modify", "s3", "endpointurl", f"{repository.hub}/sue/{repository.name}.s3")
    clone.dvc("remote", "modify", "s3", "region", "us-east-1")
    for key in ("access_key_id", "secret_access_key"):
        clone.dvc("remote", "modify", "--local", "s3", key, repository.key)
    return clone


def over_http(repository: Repository, data: bytes) -> int:
    name = md5(data)
    address = f"{repository.hub}/sue/{repository.name}.dvc/files/md5/{name[:2]}/{name[2:]}"
    return httpx.get(address, auth=("any", repository.token), timeout=60).status_code


def test_dvc_pushes_pulls_and_collects(repository, s3_clone):
    s3_clone.write(FILES)
    s3_clone.dvc("add", "data")
    assert "new:" in s3_clone.dvc("status", "-c").stdout
    s3_clone.dvc("push")
    assert "up to date" in s3_clone.dvc("push").stdout
    assert over_http(repository, FILES["data/a.txt"]) == 200
    s3_clone.forget("data")
    s3_clone.dvc("pull")
    assert {path: (s3_clone.folder / path).read_bytes() for path in FILES} == FILES
    s3_clone.write({"gone": b"gone"})
    s3_clone.dvc("add", "gone")
    s3_clone.dvc("push")
    (s3_clone.folder / "gone.dvc").unlink()
    s3_clone.dvc("gc", "--workspace", "--cloud", "--force")
    assert over_http(repository, b"gone") == 404
    assert over_http(repository, FILES["data/a.txt"]) == 200


def test_dvc_keeps_its_run_cache(repository, s3_clone):
    s3_clone.write({"in.txt": b"in"})
    s3_clone.dvc("stage", "add", "--run", "-n", "copy", "-d", "in.txt", "-o", "out.txt", "cp in.txt out.txt")
    s3_clone.dvc("push", "--run-cache")
    s3_clone.forget("out.txt")
    s3_clone.dvc("pull", "--run-cache")
    assert (s3_clone.folder / "out.txt").read_bytes() == b"in"
    assert any((s3_clone.folder / ".dvc" / "cache" / "runs").rglob("*"))


def test_dvc_says_why_a_damaged_object_is_refused(repository, s3_clone):
    """dvc drops a damaged file of its cache by itself; what reaches the hub under a wrong name is told in words."""
    bad = hashlib.md5(b"good").hexdigest()
    python = clients.environment("dvc") / "python"
    code = (
        "import s3fs, sys\n"
        "fs = s3fs.S3FileSystem(key=sys.argv[1], secret=sys.argv[1], endpoint_url=sys.argv[2])\n"
        "fs.pipe(sys.argv[3], b'evil')\n"
    )
    arguments = [f"{repository.hub}/sue/{repository.name}.s3", f"dvc/files/md5/{bad[:2]}/{bad[2:]}"]
    done = subprocess.run([python, "-c", code, repository.key, *arguments], text=True, capture_output=True, timeout=120)
    assert done.returncode != 0
    assert "The body is not the object that its key names" in done.stderr
    assert over_http(repository, b"good") == 404
