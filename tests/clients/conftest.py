"""People and repositories on the session's hub: one set for all files, since a name can be taken only once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import clients
from tests.support.dvc import Clone, Remote
from tests.support.hub import Hub
from tests.support.s3_programs import Repository

NAMES = iter(range(10_000))


@pytest.fixture(scope="session")
def people(hub: Hub) -> tuple[str, str]:
    return hub.user("dana"), hub.user("mallory")


@pytest.fixture
def remote(hub: Hub, people: tuple[str, str]) -> Remote:
    name = f"data-{next(NAMES)}"
    hub.repository(people[0], name)
    return Remote(f"{hub.url}/dana/{name}", *people)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone", clients.environment("dvc"))
    made.folder.mkdir()
    subprocess.run(["git", "init", "-q", made.folder], check=True)
    made.dvc("init", "-q")
    return made


@pytest.fixture(scope="session")
def token(hub: Hub) -> str:
    return hub.user("sue")


@pytest.fixture
def repository(hub: Hub, token: str) -> Repository:
    name = f"data-{next(NAMES)}"
    hub.repository(token, name)
    return Repository(hub.url, token, name, token, token)
