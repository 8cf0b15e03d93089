"""A power cut leaves a ref's file empty or torn, and git then refuses the whole repository. The hub knows what the ref
was; where it does not, the others stay whole and a push brings it back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from hub import doctor
from hub.accounts.actor import Actor
from hub.accounts.models import User
from repos import publishing, tasks
from repos.git import commands, damage, store
from repos.git.store import ZERO, RefChange
from repos.models import Push, RefUpdate, Repository
from repos.storage import store as repositories
from tests.support.asgi import ask, basic
from tests.support.writer import Writer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root")]
TORN = [b"", b"\0" * 41, b"0123456789abcdef", b"garbage\n"]
NAMES = ["empty", "zeros", "half", "garbage"]


@pytest.fixture
def path(project: Writer) -> Path:
    """alice/private with main and dev, as a process finds it that has just started."""
    project.git("branch", "dev", "main")
    store._looked_at.clear()
    return project.path


def record(repository: Repository, user: User, ref: str, new: str, *, applied: bool = True) -> None:
    push = Push.objects.create(repository=repository, user=user, state=Push.State.DONE if applied else "failed")
    RefUpdate.objects.create(push=push, ref=ref, old=ZERO, new=new, applied=applied)


def tip(path: Path, name: str) -> str:
    return commands.run(path, "rev-parse", name).decode().strip()


def test_git_itself_refuses_a_repository_with_an_empty_ref(path: Path, tmp_path: Path) -> None:
    (path / "refs/heads/main").write_bytes(b"")
    copy = subprocess.run(["git", "clone", "-q", "-b", "dev", path, tmp_path / "copy"], capture_output=True, text=True)
    assert copy.returncode != 0


@pytest.mark.parametrize("content", TORN, ids=NAMES)
def test_it_is_again_what_the_last_push_made_it(
    client: Client, alice: User, project: Writer, path: Path, content: bytes
) -> None:
    older, newer = tip(path, "main"), project.commit({"new.txt": "new\n"})
    commands.run(path, "update-ref", "refs/heads/main", older)
    commands.run(path, "pack-refs", "--all")  # what git would go back to, and dulwich does
    for oid in (older, newer):
        record(project.repository, alice, "refs/heads/main", oid)
    record(project.repository, alice, "refs/heads/main", older, applied=False)
    (path / "refs/heads/main").write_bytes(content)
    client.force_login(alice)
    assert client.get("/alice/private/blob/main/new.txt").status_code == 200
    assert (path / "refs/heads/main").read_text() == f"{newer}\n"
    assert damage.damaged(path) == damage.lost(path) == []


def test_a_clone_is_the_first_to_meet_it(
    alice: User, project: Writer, path: Path, token_of: Callable[..., str]
) -> None:
    record(project.repository, alice, "refs/heads/main", tip(path, "main"))
    (path / "refs/heads/main").write_bytes(b"")
    told = ask("GET", "/alice/private.git/info/refs?service=git-upload-pack", headers=basic(token_of(alice)))
    assert told.status == 200
    assert f"{tip(path, 'dev')} refs/heads/main\n" in told.text


@pytest.mark.parametrize("content", [b"", b"\0" * 21], ids=["empty", "zeros"])
def test_an_empty_head_is_the_default_branch(client: Client, alice: User, path: Path, content: bytes) -> None:
    (path / "HEAD").write_bytes(content)
    client.force_login(alice)
    assert client.get("/alice/private").status_code == 200
    assert (path / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert client.get("/alice/private/commits/dev").status_code == 200


def test_without_a_record_the_others_stay_and_a_push_brings_it_back(
    client: Client, alice: User, project: Writer, path: Path, tmp_path: Path
) -> None:
    was = tip(path, "main")
    record(project.repository, alice, "refs/heads/main", "1" * 40)  # its objects went, too
    (path / "refs/heads/main").write_bytes(b"")
    client.force_login(alice)
    home = client.get("/alice/private")
    assert home.status_code == 200
    shown = home.content.decode()
    assert "“main” was damaged on the hub&#x27;s disk" in shown or "“main” was damaged on the hub's disk" in shown
    assert "git push origin main" in shown
    gone = client.get("/alice/private/tree/main")
    assert (gone.status_code, "Push it again" in gone.content.decode()) == (502, True)
    assert client.get("/alice/private/tree/dev").status_code == 200
    assert client.get("/alice/private/tree/nothing").status_code == 404
    subprocess.run(["git", "clone", "-q", "-b", "dev", path, tmp_path / "copy"], check=True)
    assert "refs/heads/main of alice/private" in finding().text
    publishing.publish(project.repository, Actor(user=alice), [RefChange("refs/heads/main", ZERO, was)])
    assert "damaged" not in client.get("/alice/private").content.decode()
    assert not finding().fix


def finding() -> doctor.Finding:
    return next(found for found in doctor.examine() if found.part == "refs")


def test_the_doctor_finds_it(path: Path) -> None:
    assert not finding().fix
    (path / "refs/heads/main").write_bytes(b"")
    assert finding().text == "damaged on disk: refs/heads/main of alice/private"


def test_the_hourly_look_finds_what_a_running_process_has_seen_whole(alice: User, project: Writer, path: Path) -> None:
    oid = tip(path, "main")
    record(project.repository, alice, "refs/heads/main", oid)
    repositories().open_for_read(project.repository.pk)
    (path / "refs/heads/main").write_bytes(b"")
    tasks.tidy_repositories()
    assert tip(path, "main") == oid


def test_a_ref_that_somebody_holds_is_left_for_later(alice: User, project: Writer, path: Path) -> None:
    record(project.repository, alice, "refs/heads/main", tip(path, "main"))
    (path / "refs/heads/main").write_bytes(b"")
    (path / "refs/heads/main.lock").touch()
    repositories().open_for_read(project.repository.pk)
    assert damage.damaged(path) == ["refs/heads/main"]
    os.unlink(path / "refs/heads/main.lock")
    repositories().open_for_read(project.repository.pk)
    assert damage.damaged(path) == []
