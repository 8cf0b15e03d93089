"""A database that cannot be used: each command says in one line what is wrong and what to do, and soon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import services
from tests.support.hub import ROOT

production = pytest.mark.skipif(os.environ.get("COVEY_TEST") != "production", reason="PostgreSQL's")


def run(home: Path, url: str, *words: str, **more: str) -> tuple[int, str]:
    """A command of a hub in production; its code and all it printed, in which no password may be."""
    variables = {
        "PATH": os.environ["PATH"],
        "COVEY_HOME": str(home),
        "COVEY_BIND": "127.0.0.1:0",
        "COVEY_URL": "https://hub.example.org",
        "SECRET_KEY": "Vq3xZ8mT1nB6kW0pR7sY2dF5gH9jL4cA-eUiOoPzXvNqMtRb_w",
        "CACHE_URL": "redis://127.0.0.1:1/0",
        "BROKER_URL": "redis://127.0.0.1:1/1",
        "DATABASE_URL": url,
        **more,
    }
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "hub.cli", *words],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "s3cret" not in said
    assert time.monotonic() - begun < 40  # of which 5 s are a server's that starts beside the hub
    return done.returncode, said


@pytest.mark.parametrize("words", [("up",), ("serve",), ("restore", "hub.tar"), ("backup", "hub.tar")])
def test_a_server_that_is_away_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    code, said = run(tmp_path, f"postgres://hub:s3cret@127.0.0.1:{services.free_port()}/hub", *words)
    assert code == 2
    assert "does not answer: Connection refused. Start it, or mend DATABASE_URL." in said
    assert said.count("\n") == 1


def test_a_server_that_says_nothing_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        code, said = run(tmp_path, f"postgres://hub:s3cret@{where}/hub", "serve")
    assert code == 2
    assert f"PostgreSQL at {where} does not answer" in said


def test_the_doctor_waits_for_it_once(tmp_path: Path) -> None:
    code, said = run(tmp_path, f"postgres://hub:s3cret@127.0.0.1:{services.free_port()}/hub", "doctor")
    assert code == 1
    assert "fix: Start it, or mend DATABASE_URL." in said
    assert said.count("not asked: the database is not in order") == 4


@production
@pytest.mark.parametrize("words", [("up",), ("serve",), ("restore", "hub.tar"), ("doctor",)])
def test_a_database_that_was_never_made_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    code, said = run(tmp_path, os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/absent", *words)
    assert code == (1 if words == ("doctor",) else 2)
    assert 'has no database "absent"' in said
    assert 'CREATE DATABASE "absent"), or mend DATABASE_URL.' in said


@production
def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    import psycopg

    url = os.environ["DATABASE_URL"]
    role = f"locked_{time.time_ns()}"
    with psycopg.connect(url, autocommit=True) as link:
        link.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right'")
        rules = Path(str(link.execute("SHOW hba_file").fetchone()[0]))  # type: ignore[index]
        rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        link.execute("SELECT pg_reload_conf()")
    code, said = run(tmp_path, url.replace("postgres@", f"{role}:s3cret@"), "serve")
    assert code == 2
    assert f'does not let "{role}" in: password authentication failed' in said
    assert "Mend user and password in DATABASE_URL" in said


@production
def test_the_database_of_mlflow_is_named_by_its_own_setting(tmp_path: Path) -> None:
    url = os.environ["DATABASE_URL"]
    absent = url.rsplit("/", 1)[0].replace("postgres:", "postgresql:") + "/absent"
    code, said = run(tmp_path, url, "serve", MLFLOW_DATABASE_URL=absent)
    assert code == 2
    assert 'CREATE DATABASE "absent"), or mend MLFLOW_DATABASE_URL.' in said


@pytest.mark.parametrize("words", [("up",), ("serve",), ("restore", "hub.tar"), ("backup", "hub.tar")])
def test_the_missing_folder_of_a_sqlite_file_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    for setting in ("DATABASE_URL", "MLFLOW_DATABASE_URL"):
        addresses = {"DATABASE_URL": f"sqlite:///{tmp_path}/hub.sqlite3"} | {
            setting: f"sqlite:///{tmp_path}/no such/hub.sqlite3"
        }
        code, said = run(tmp_path, addresses.pop("DATABASE_URL"), *words, **addresses)
        assert code == 2
        assert f"Make it (mkdir -p '{tmp_path}/no such'), or mend {setting}." in said
        assert said.count("\n") == 1
