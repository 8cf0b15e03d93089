"""Backup and restore of a hub in use; and an upgrade of a stored home, which takes a backup first."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import restore
from hub.lib.errors import Invalid
from tests.support import services
from tests.support.hub import ROOT, Hub, embedded_hub, production_hub

FIRST, SECOND = b"5.1,3.5,setosa\n" * 1000, b"6.2,2.9,versicolor\n" * 1000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    production = os.environ.get("COVEY_TEST") == "production"
    made = (production_hub if production else embedded_hub)(tmp_path_factory.mktemp("backup") / "home")
    made.home.mkdir(exist_ok=True)
    made.start()
    yield made
    made.stop()


class Person:
    """Someone with a token, a working copy and an HTTP client."""

    def __init__(self, hub: Hub, name: str, folder: Path) -> None:
        self.hub, self.folder, self.token = hub, folder, hub.user(name)
        self.remote = hub.url.replace("http://", f"http://{name}:{self.token}@") + f"/{name}/iris.git"
        self.base = f"/{name}/iris"
        self.ask("POST", "/api/v1/user/repos", {"name": "iris"})
        self.git("init", "-q", "-b", "main", ".", cwd=None)

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.hub.url + path, method=method, data=data)
        request.add_header("Authorization", "Basic " + b64encode(f"x:{self.token}".encode()).decode())
        request.add_header("Content-Type", "application/octet-stream" if data is body else "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def status(self, method: str, path: str) -> int:
        try:
            self.ask(method, path)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def git(self, *words: str, cwd: Path | None = None) -> str:
        self.folder.mkdir(exist_ok=True)
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "a"}
        variables = {**os.environ, **who, "GIT_COMMITTER_EMAIL": "a@b.c", "GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(["git", *words], cwd=self.folder, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def push(self, content: bytes) -> str:
        """Data first, then the commit that names it; the commit's id."""
        self.ask("PUT", self.object(content), content)
        (self.folder / "data.md5").write_text(hashlib.md5(content).hexdigest())
        self.git("add", ".")
        self.git("commit", "-qm", "data")
        self.git("push", "-q", self.remote, "main")
        return self.git("rev-parse", "HEAD")

    def object(self, content: bytes) -> str:
        md5 = hashlib.md5(content).hexdigest()
        return f"{self.base}.dvc/files/md5/{md5[:2]}/{md5[2:]}"

    def mlflow(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self.ask(method, f"{self.base}.mlflow/api/2.0/mlflow/{path}", body))

    def artifacts(self, *names: str) -> list[str]:
        """Addresses in a new run."""
        run = self.mlflow("POST", "runs/create", {"experiment_id": "0", "run_name": "noted"})["run"]["info"]
        place = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
        return [f"{self.base}.mlflow/api/2.0/mlflow-artifacts/artifacts/{place}/{name}" for name in names]


def damage(hub: Hub, data: bytes) -> None:
    """What a disk may do to an object; in a folder only."""
    for path in (hub.home / "objects").rglob(f"*{hashlib.sha256(data).hexdigest()[8:]}*"):
        path.chmod(0o600)
        path.write_bytes(bytes(len(data)))


def test_what_was_there_at_the_backup_comes_back(running: Hub, tmp_path: Path) -> None:
    ada = Person(running, "ada", tmp_path / "work")
    first = ada.push(FIRST)
    experiment = ada.mlflow("POST", "experiments/create", {"name": "first"})["experiment_id"]
    artifact, later = ada.artifacts("note.txt", "later.txt")
    ada.ask("PUT", artifact, b"first note")
    archive = tmp_path / "hub.tar"
    running.covey("backup", str(archive))
    assert archive.stat().st_mode & 0o777 == 0o600

    second = ada.push(SECOND)
    ada.mlflow("POST", "experiments/create", {"name": "second"})
    ada.ask("PUT", artifact, b"other note")
    ada.ask("PUT", later, b"later")
    damage(running, FIRST)
    assert ada.git("ls-remote", ada.remote, "main").split()[0] == second
    key = (running.home / "secret_key").read_text() if (running.home / "secret_key").exists() else ""
    running.covey("restore", str(archive))
    running.stop()
    running.start()

    assert kept(running, "note.txt") == b"other note"
    assert kept(running, "later.txt") == b"later"
    assert not key or kept(running, "secret_key") == key.encode()
    assert ada.git("ls-remote", ada.remote, "main").split()[0] == first
    assert ada.ask("GET", ada.object(FIRST)) == FIRST
    assert ada.status("GET", ada.object(SECOND)) == 404
    assert ada.ask("GET", artifact) == b"first note"
    assert ada.status("GET", later) == 404
    found = ada.mlflow("GET", "experiments/get-by-name?experiment_name=first")
    assert found["experiment"]["experiment_id"] == experiment
    assert ada.status("GET", f"{ada.base}.mlflow/api/2.0/mlflow/experiments/get-by-name?experiment_name=second") == 404
    bare = running.covey("admin", "repo-path", "ada/iris")
    ada.git("-C", bare, "-c", "safe.directory=*", "fsck", "--full", "--strict")
    assert ada.push(FIRST + SECOND)  # and life goes on


def kept(hub: Hub, name: str) -> bytes:
    """What the last restore has put aside under this name: in a folder, and artifacts of S3 in their bucket."""
    found = sorted(path for path in (hub.home / "replaced").rglob(name) if path.is_file())
    if found:
        return found[-1].read_bytes()
    client, bucket = services.s3_client(hub.environment["COVEY_S3_ENDPOINT"]), hub.environment["COVEY_S3_BUCKET"]
    listed = client.list_objects_v2(Bucket=bucket, Prefix="replaced/").get("Contents", [])
    keys = sorted(item["Key"] for item in listed if item["Key"].endswith(f"/{name}"))
    return bytes(client.get_object(Bucket=bucket, Key=keys[-1])["Body"].read())


@pytest.mark.skipif(os.environ.get("COVEY_TEST") != "production", reason="a bucket's")
def test_only_artifacts_that_changed_are_put_aside_and_no_archive_holds_those(running: Hub, tmp_path: Path) -> None:
    fay = Person(running, "fay", tmp_path / "work")
    fay.push(FIRST)
    same, large, changed = fay.artifacts("same.bin", "large.bin", "changed.bin")
    fay.ask("PUT", same, b"same")
    fay.ask("PUT", large, b"large!" * 2_000_000)
    fay.ask("PUT", changed, b"before" * 2_000_000)  # in parts
    running.covey("backup", str(tmp_path / "first.tar"))
    fay.ask("PUT", changed, b"after!" * 2_000_000)
    running.covey("restore", str(tmp_path / "first.tar"))
    assert fay.ask("GET", changed) == b"before" * 2_000_000
    assert fay.ask("GET", same) == b"same"
    assert fay.ask("GET", large) == b"large!" * 2_000_000
    assert fay.ask("GET", fay.object(FIRST)) == FIRST
    assert kept(running, "changed.bin") == b"after!" * 2_000_000
    for name in ("same.bin", "large.bin"):
        with pytest.raises(IndexError):
            kept(running, name)
    running.covey("backup", str(tmp_path / "second.tar"))
    with tarfile.open(tmp_path / "second.tar") as archive:
        assert not [name for name in archive.getnames() if "replaced" in name]


@pytest.mark.skipif(os.environ.get("COVEY_TEST") != "production", reason="PostgreSQL's")
def test_experiments_kept_elsewhere_are_refused_before_anything_changes(running: Hub, tmp_path: Path) -> None:
    """Else the hub would look for them where the archive put none."""
    flo = Person(running, "flo", tmp_path / "work")
    assert flo.mlflow("POST", "experiments/create", {"name": "kept"})
    running.covey("backup", str(tmp_path / "shared.tar"))
    address = services.fresh_database(running.environment["DATABASE_URL"], f"mlflow_{time.time_ns()}")
    apart = Hub(running.home, {**running.environment}, running.url, [])
    apart.environment["MLFLOW_DATABASE_URL"] = address.replace("postgres:", "postgresql+psycopg:")
    apart.covey("backup", str(tmp_path / "apart.tar"))

    said = refused(apart, "restore", str(tmp_path / "shared.tar"))
    assert "Nothing was changed. Unset MLFLOW_DATABASE_URL" in said
    said = refused(running, "restore", str(tmp_path / "apart.tar"))
    assert "Nothing was changed. Set MLFLOW_DATABASE_URL to an empty database of PostgreSQL" in said
    found = flo.mlflow("GET", "experiments/get-by-name?experiment_name=kept")
    assert found["experiment"]["name"] == "kept"
    apart.environment["MLFLOW_DATABASE_URL"] = f"sqlite:///{tmp_path}/mlflow.sqlite3"
    said = refused(apart, "restore", str(tmp_path / "apart.tar"))
    assert "Set MLFLOW_DATABASE_URL to an empty database of PostgreSQL" in said


def test_an_archive_of_a_newer_mlflow_or_without_the_hubs_rows_changes_nothing(tmp_path: Path) -> None:
    hub = embedded_hub(tmp_path / "home", ready=True)
    archive = tmp_path / "hub.tar"
    hub.covey("backup", str(archive))
    without(archive, tmp_path / "rowless.tar", "databases/hub.sqlite3")
    assert "holds no database of the hub" in refused(hub, "restore", str(tmp_path / "rowless.tar"))
    with sqlite3.connect(hub.home / "mlflow.sqlite3") as link:
        link.execute("UPDATE alembic_version SET version_num = 'newer'")
    hub.covey("backup", str(tmp_path / "newer.tar"))
    with sqlite3.connect(hub.home / "mlflow.sqlite3") as link:
        link.execute("UPDATE alembic_version SET version_num = 'ours'")
    other = embedded_hub(tmp_path / "other", ready=True)
    assert "A newer MLflow made the archive" in refused(other, "restore", str(tmp_path / "newer.tar"))
    assert not (other.home / "replaced").exists()


def without(archive: Path, copy: Path, name: str) -> None:
    with tarfile.open(archive) as whole, tarfile.open(copy, "w") as part:
        for member in whole:
            if member.name != name:
                part.addfile(member, whole.extractfile(member))


def test_links_are_followed(tmp_path: Path) -> None:
    """A folder that lies on another disk, a file that a program has joined with an equal one."""
    hub = embedded_hub(tmp_path / "home", ready=True)
    disk = tmp_path / "disk"
    (disk / "workspaces").mkdir(parents=True)
    (disk / "workspaces" / "note.txt").write_bytes(b"a note")
    os.link(disk / "workspaces" / "note.txt", disk / "workspaces" / "twin.txt")
    (hub.home / "artifacts").mkdir()
    (hub.home / "artifacts" / "workspaces").symlink_to(disk / "workspaces")
    hub.covey("backup", str(tmp_path / "hub.tar"))
    other = embedded_hub(tmp_path / "other", ready=True)
    other.covey("restore", str(tmp_path / "hub.tar"))
    for name in ("note.txt", "twin.txt"):
        assert (other.home / "artifacts" / "workspaces" / name).read_bytes() == b"a note"


@pytest.mark.parametrize("name", ["git", "objects", "artifacts", "artifacts/workspaces", "git/00/1.git/objects/pack"])
def test_a_link_to_a_disk_that_is_away_is_not_left_out(name: str, tmp_path: Path) -> None:
    hub = embedded_hub(tmp_path / "home", ready=True)
    link = hub.home / name
    if "1.git" in name:
        subprocess.run(["git", "init", "-q", "--bare", hub.home / "git" / "00" / "1.git"], check=True)
        shutil.rmtree(link)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path / "away")
    said = refused(hub, "backup", str(tmp_path / "hub.tar"))
    assert f"{link} is a link to what is not there." in said
    assert not (tmp_path / "hub.tar").exists()


def test_a_folder_that_cannot_be_read_is_not_left_out(tmp_path: Path) -> None:
    plain = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if plain and not shutil.which(plain[0]):
        pytest.skip("root may read everything here")
    hub = embedded_hub(tmp_path / "home", ready=True)
    (hub.home / "objects" / "sha256").mkdir(parents=True)
    (hub.home / "objects" / "sha256").chmod(0)
    words = [*plain, sys.executable, "-W", "ignore", "-m", "hub.cli", "backup", str(tmp_path / "hub.tar")]
    done = subprocess.run(words, cwd=ROOT, env=hub.environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "objects/sha256: Permission denied" in done.stderr
    assert not (tmp_path / "hub.tar").exists()


def test_another_machine_takes_its_place(running: Hub, tmp_path: Path) -> None:
    """A home and databases that nobody ever used."""
    eve = Person(running, "eve", tmp_path / "work")
    tip = eve.push(FIRST)
    (artifact,) = eve.artifacts("note.txt")
    run = json.loads(eve.ask("GET", "/api/v1/repos/eve/iris/experiments/runs"))["runs"][0]
    eve.ask("POST", "/api/v1/user/repos", {"name": "void"})  # nobody pushed: git has not one file of objects
    eve.ask("PUT", artifact, b"a note")
    archive = tmp_path / "hub.tar"
    running.covey("backup", str(archive))
    kind = production_hub if os.environ.get("COVEY_TEST") == "production" else embedded_hub
    other = kind(tmp_path / "other")
    other.covey("restore", str(archive))
    try:
        eve.hub = other.start()
        runs = json.loads(eve.ask("GET", "/api/v1/repos/eve/iris/experiments/runs"))
        assert [found["run_id"] for found in runs["runs"]] == [run["run_id"]]
        assert eve.mlflow("GET", f"runs/get?run_id={run['run_id']}")["run"]["info"]["run_name"] == "noted"
        assert eve.ask("GET", artifact) == b"a note"
        assert eve.ask("GET", eve.object(FIRST)) == FIRST
        moved = eve.remote.replace(running.url.removeprefix("http://"), other.url.removeprefix("http://"))
        assert eve.git("ls-remote", moved, "main").split()[0] == tip
        assert eve.git("push", "-q", moved.replace("iris", "void"), "main") == ""
        assert "damaged" not in other.log()
    finally:
        other.stop()


@pytest.mark.skipif(os.environ.get("COVEY_TEST") != "production", reason="PostgreSQL's")
def test_an_archive_from_before_an_upgrade_is_restored_over_newer_tables(running: Hub, tmp_path: Path) -> None:
    """pg_restore alone drops what it knows, and fails over what holds on to it."""
    import psycopg

    gus = Person(running, "gus", tmp_path / "work")
    archive = tmp_path / "hub.tar"
    running.covey("backup", str(archive))
    with psycopg.connect(running.environment["DATABASE_URL"]) as database:
        database.execute("CREATE TABLE newer (id int, owner_id bigint REFERENCES accounts_owner (id))")
        database.execute("CREATE TABLE mlflow.newer (id int)")
    running.covey("restore", str(archive))
    running.stop()
    running.start()
    with psycopg.connect(running.environment["DATABASE_URL"]) as database:
        assert database.execute("SELECT relname FROM pg_class WHERE relname = 'newer'").fetchall() == []
    assert gus.push(FIRST)


@pytest.mark.skipif(os.environ.get("COVEY_TEST") == "production", reason="there MLflow's tables are in the hub's dump")
def test_experiments_go_when_the_archive_has_none(tmp_path: Path) -> None:
    """Its first repository must not meet the runs of the one that had its number."""
    hub = embedded_hub(tmp_path / "home")
    script(hub, "import django; django.setup(); from hub import prepare; prepare.prepare()")
    archive = tmp_path / "hub.tar"
    hub.covey("backup", str(archive))
    hub.start()
    try:
        hal = Person(hub, "hal", tmp_path / "work")
        assert hal.mlflow("POST", "experiments/create", {"name": "theirs"})
        hub.covey("restore", str(archive))
        hub.stop()
        hub.start()
        ida = Person(hub, "ida", tmp_path / "other")
        assert (
            ida.status("GET", f"{ida.base}.mlflow/api/2.0/mlflow/experiments/get-by-name?experiment_name=theirs") == 404
        )
        assert ida.mlflow("POST", "experiments/create", {"name": "theirs"})
    finally:
        hub.stop()


def test_what_lies_on_another_disk_is_restored_there(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one disk here")
    staged, target = tmp_path / "staged", Path(tempfile.mkdtemp(dir=memory))
    try:
        for folder, content in ((staged, b"good"), (target, b"evil")):
            (folder / "sha256").mkdir(parents=True)
            (folder / "sha256" / "ab").write_bytes(content)
        restore._merge(staged, target)
        assert [path.name for path in target.rglob("*") if path.is_file()] == ["ab"]
        assert (target / "sha256" / "ab").read_bytes() == b"good"
    finally:
        shutil.rmtree(target)


def test_folders_on_two_disks_are_refused_before_anything_changes(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one disk here")
    hub = embedded_hub(tmp_path / "home", ready=True)
    (hub.home / "git" / "00").mkdir(parents=True)
    hub.covey("backup", str(tmp_path / "hub.tar"))
    elsewhere = Path(tempfile.mkdtemp(dir=memory))
    try:
        shutil.rmtree(hub.home / "tmp", ignore_errors=True)
        (hub.home / "tmp").symlink_to(elsewhere)
        assert "are not on one disk" in refused(hub, "restore", str(tmp_path / "hub.tar"))
        assert (hub.home / "git" / "00").is_dir()
        assert not (hub.home / "replaced").exists()
    finally:
        shutil.rmtree(elsewhere)


@pytest.mark.parametrize("mounted", ["git", "artifacts", "tmp", "replaced"])
def test_a_mount_of_the_same_disk_is_refused_before_anything_changes(mounted: str, tmp_path: Path) -> None:
    inside = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    hub = embedded_hub(tmp_path / "home", ready=True)
    for name in ("git/00", "artifacts/note", "tmp", "replaced"):
        (hub.home / name).mkdir(parents=True)
    hub.covey("backup", str(tmp_path / "hub.tar"))
    (tmp_path / "volume" / "here").mkdir(parents=True)
    script = f'mount --bind {tmp_path}/volume {hub.home}/{mounted} && exec "$@"'
    words = [sys.executable, "-W", "ignore", "-m", "hub.cli", "restore", str(tmp_path / "hub.tar")]
    done = subprocess.run(
        [*inside, "sh", "-c", script, "-", *words], cwd=ROOT, env=hub.environment, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert "a restore cannot exchange what is there" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (hub.home / "git" / "00").is_dir()
    assert (hub.home / "artifacts" / "note").is_dir()
    assert not [*(hub.home / "replaced").iterdir(), *hub.home.glob(".restore-*"), *hub.home.glob("tmp/restore-*")]


def test_a_folder_that_cannot_take_the_place_leaves_the_old_one_there(tmp_path: Path) -> None:
    old = tmp_path / "git" / "00"
    old.mkdir(parents=True)
    with pytest.raises(OSError, match="Invalid argument"):
        restore._swap(tmp_path, tmp_path / "git", tmp_path / "kept" / "git")  # a folder into itself
    assert old.is_dir()


def test_a_folder_that_is_a_link_to_a_disk_that_is_away_is_replaced(tmp_path: Path) -> None:
    hub = embedded_hub(tmp_path / "home", ready=True)
    hub.covey("backup", str(tmp_path / "hub.tar"))
    (hub.home / "git").symlink_to(tmp_path / "away")
    hub.covey("restore", str(tmp_path / "hub.tar"))
    assert not (hub.home / "git").is_symlink()
    assert [path.is_symlink() for path in hub.home.glob("replaced/*/gi*")] == [True]


def test_a_second_name_of_a_file_in_an_older_archive_is_a_copy(tmp_path: Path) -> None:
    """tar keeps the second of two joined files as a link to the first, and older versions let it."""
    (tmp_path / "first").write_bytes(b"a note")
    os.link(tmp_path / "first", tmp_path / "second")
    for name, whole in (("good.tar", True), ("bad.tar", False)):
        with tarfile.open(tmp_path / name, "w") as archive:
            (tmp_path / "manifest.json").write_text("{}")
            archive.add(tmp_path / "manifest.json", "manifest.json")
            if whole:
                archive.add(tmp_path / "first", "artifacts/first")
            else:
                archive.gettarinfo(tmp_path / "first", "artifacts/first")  # the second then links to what is not there
            archive.add(tmp_path / "second", "artifacts/second")
            archive.add(tmp_path / "manifest.json", "end.json")
    restore.unpack(tmp_path / "good.tar", tmp_path / "staged")
    (tmp_path / "staged" / "artifacts" / "first").write_bytes(b"another")
    assert (tmp_path / "staged" / "artifacts" / "second").read_bytes() == b"a note"
    with pytest.raises(Invalid, match="link to nothing"):
        restore.unpack(tmp_path / "bad.tar", tmp_path / "other")


def test_a_folder_is_no_archive(running: Hub, tmp_path: Path) -> None:
    assert "Nothing was changed" in refused(running, "restore", str(tmp_path))


def test_an_archive_that_was_cut_short_changes_nothing(running: Hub, tmp_path: Path) -> None:
    bea = Person(running, "bea", tmp_path / "work")
    first = bea.push(FIRST)
    archive = tmp_path / "hub.tar"
    running.covey("backup", str(archive))
    whole = archive.read_bytes()
    for number, length in enumerate((0, 700, len(whole) // 2)):
        archive.write_bytes(whole[:length])
        with pytest.raises(Invalid) as refusal:
            restore.unpack(archive, tmp_path / f"staged-{number}")
        assert "Nothing was changed" in refusal.value.details
    archive.write_bytes(whole[: len(whole) - 4 * 10240])
    assert "Nothing was changed" in refused(running, "restore", str(archive))
    assert bea.git("ls-remote", bea.remote, "main").split()[0] == first
    assert not list((running.home / "tmp").glob("restore-*"))


def test_a_backup_never_replaces_a_file(running: Hub, tmp_path: Path) -> None:
    archive = tmp_path / "hub.tar"
    archive.write_text("precious")
    assert "exists" in refused(running, "backup", str(archive))
    assert archive.read_text() == "precious"
    assert "cannot be written" in refused(running, "backup", str(tmp_path / "absent" / "hub.tar"))


def test_what_a_killed_backup_left_goes_with_the_next(running: Hub, tmp_path: Path) -> None:
    left, held, other = (tmp_path / name for name in (".a.tar.0123abcd.partial", ".b.tar.4567cdef.partial", ".partial"))
    for file in (left, held, other):
        file.write_bytes(b"half")
        os.utime(file, (1, 1))
    fresh = tmp_path / ".c.tar.89abcdef.partial"
    fresh.write_bytes(b"half")
    with open(held, "rb") as under_way:
        fcntl.flock(under_way, fcntl.LOCK_EX)
        running.covey("backup", str(tmp_path / "hub.tar"))
    assert {path.name for path in tmp_path.iterdir()} == {"hub.tar", held.name, other.name, fresh.name}


@pytest.mark.parametrize("name", ["git/../../escape", "/etc/escape", "elsewhere/file", "git//x", "databases/.."])
def test_a_hostile_archive_writes_nowhere(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "hostile.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(Invalid, match="has no place"):
        restore.unpack(archive, tmp_path / "staged")
    assert not list(tmp_path.rglob("escape"))
    assert not Path("/etc/escape").exists()


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "hostile.tar"
    link = tarfile.TarInfo("git/00/1.git")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    with tarfile.open(archive, "w") as tar:
        tar.addfile(link)
    assert "has no place" in refused(embedded_hub(tmp_path / "home"), "restore", str(archive))


def test_a_restore_without_its_database_says_so(tmp_path: Path) -> None:
    hub = embedded_hub(tmp_path / "home")
    (tmp_path / "home" / "covey.sqlite3").mkdir(parents=True)
    assert "database does not answer" in refused(hub, "restore", str(tmp_path / "hub.tar"))


OLDER = """
import sqlalchemy, django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
targets = [("accounts", "0002_initial"), ("repos", "0001_initial"), ("jobs", "0001_initial"), ("sessions", "0001_initial")]
executor = MigrationExecutor(connection)
apps = executor.migrate(targets).apps
owner = apps.get_model("accounts", "Owner").objects.create(name="ada", name_key="ada")
apps.get_model("accounts", "User").objects.create(username="ada", owner=owner)
apps.get_model("repos", "Repository").objects.create(owner=owner, name="iris", name_key="iris")

from experiments.mlflow import schema
from django.conf import settings
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels.initial_models import Base
engine = sqlalchemy.create_engine(settings.MLFLOW_DATABASE_URL)
Base.metadata.create_all(engine)
config = utils._get_alembic_config(settings.MLFLOW_DATABASE_URL)
newest = ScriptDirectory.from_config(config).get_revision(schema.installed_revision())
command.upgrade(config, newest.down_revision)
with engine.begin() as link:
    link.execute(sqlalchemy.text("UPDATE experiments SET name = 'old' WHERE experiment_id = 0"))
    link.execute(sqlalchemy.text("INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace) VALUES (7, 'kept', 'active', 'default')"))
assert schema.behind()
"""  # noqa: E501

NEWER = """
import django
django.setup()
from hub import prepare
prepare.prepare()
from experiments.mlflow import schema
from repos.models import Repository
import sqlite3
from django.conf import settings
assert not prepare.pending_migrations() and not schema.behind()
assert [str(found) for found in Repository.objects.all()] == ["ada/iris"]
link = sqlite3.connect(settings.COVEY_HOME / "mlflow.sqlite3")
assert link.execute("SELECT name FROM experiments WHERE experiment_id = 7").fetchall() == [("kept",)]
"""


def test_a_home_of_an_older_schema_is_upgraded_after_a_copy(tmp_path: Path) -> None:
    hub = embedded_hub(tmp_path / "home")
    script(hub, OLDER)
    script(hub, NEWER)
    (copy,) = (tmp_path / "home" / "backups").iterdir()
    with tarfile.open(copy) as archive:
        assert {"databases/hub.sqlite3", "databases/mlflow.sqlite3", "secret_key"} <= set(archive.getnames())
    script(hub, NEWER)
    assert list((tmp_path / "home" / "backups").iterdir()) == [copy]  # nothing to migrate, nothing copied

    # The copy brings the old rows back, and the restore brings them to this version again.
    hub.covey("restore", str(copy))
    script(hub, NEWER)


def script(hub: Hub, text: str) -> None:
    variables = {**hub.environment, "DJANGO_SETTINGS_MODULE": "hub.settings"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text], cwd=ROOT, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_store_that_is_away_and_a_file_that_is_no_database_are_one_line(tmp_path: Path) -> None:
    hub = embedded_hub(tmp_path / "home", ready=True)
    keys = {"COVEY_S3_BUCKET": "b", "COVEY_S3_ACCESS_KEY": "a", "COVEY_S3_SECRET_KEY": "s"}
    hub.environment |= {"COVEY_S3_ENDPOINT": "http://127.0.0.1:1", **keys}
    said = refused(hub, "backup", str(tmp_path / "hub.tar"))
    assert "The hub's object store did not answer" in said
    assert not (tmp_path / "hub.tar").exists()
    broken = embedded_hub(tmp_path / "broken", ready=True)
    (broken.home / "covey.sqlite3").write_bytes(b"no database " * 1000)
    words = ("admin", "create-user", "ann", "--email", "ann@example.org", "--admin")
    assert "file is not a database" in refused(broken, *words)


def refused(hub: Hub, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "hub.cli", *words],
        cwd=ROOT,
        env=hub.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr
