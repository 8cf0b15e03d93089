"""A repository whose files are lost or damaged says so, in 502 and words; it is no fault of the hub's program."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from hub.accounts.models import User
from repos.git import commands
from repos.storage import store as repositories
from tests.support.asgi import ask, basic
from tests.support.writer import Writer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root")]
PAGES = ("", "/tree/main", "/blob/main/README.md", "/commits/main", "/branches", "/archive/main.zip", "/find/main")


def packed(path: Path, kind: str) -> Path:
    commands.run(path, "repack", "-adq")
    found = next((path / "objects/pack").glob(f"*.{kind}"))
    found.chmod(0o600)
    return found


def damage_pack(path: Path) -> None:
    pack = packed(path, "pack")
    pack.write_bytes(pack.read_bytes()[:12] + os.urandom(pack.stat().st_size - 12))


def damage_index(path: Path) -> None:
    packed(path, "idx").write_bytes(b"garbage")


def damage_ref(path: Path) -> None:
    (path / "refs/heads/main").write_text("garbage\n")


def damage_config(path: Path) -> None:
    (path / "config").write_text("[core\nbad")


def damage_index_of_packs(path: Path) -> None:
    packed(path, "idx")
    (path / "objects/pack/multi-pack-index").write_bytes(b"MIDX" + b"\0" * 50)


def lose(path: Path) -> None:
    shutil.rmtree(path)


WAYS = [damage_pack, damage_index, damage_index_of_packs, damage_ref, damage_config, lose]


@pytest.mark.parametrize("damage", WAYS)
def test_pages_say_that_its_files_are_damaged(
    client: Client, alice: User, project: Writer, damage: Callable[[Path], None]
) -> None:
    client.force_login(alice)
    damage(repositories().open_for_read(project.repository.pk))
    answers = {page: client.get(f"/alice/private{page}") for page in PAGES}
    assert {page: answer.status_code for page, answer in answers.items() if answer.status_code not in {404, 502}} == {}
    shown = answers[""].content.decode()
    assert answers[""].status_code == 502
    assert "hub&#x27;s disk" in shown
    assert "from a backup" in shown


def test_git_is_told_that_the_files_are_lost(project: Writer, alice: User, token_of: Callable[..., str]) -> None:
    lose(repositories().open_for_read(project.repository.pk))
    for service in ("git-upload-pack", "git-receive-pack"):
        answer = ask("GET", f"/alice/private.git/info/refs?service={service}", headers=basic(token_of(alice)))
        assert answer.status == 502
        assert "from a backup" in answer.text
        assert str(repositories().root) not in answer.text
