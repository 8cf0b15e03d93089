"""Every setting and command is in the README, and a wrong one stops the start with one line that says what to set."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest

from hub import cli

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "DATABASE_URL": "postgres://hub@127.0.0.1/hub",
    "SECRET_KEY": "Vq3xZ8mT1nB6kW0pR7sY2dF5gH9jL4cA-eUiOoPzXvNqMtRb_w",
    "COVEY_URL": "https://hub.example.org",
    "CACHE_URL": "redis://127.0.0.1/0",
    "BROKER_URL": "redis://127.0.0.1/1",
}


def names_read() -> set[str]:
    """The first argument of every env.…("NAME") and required("NAME") in settings.py."""
    tree = ast.parse((ROOT / "hub" / "settings.py").read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func
            of_env = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "env"
            if of_env or getattr(function, "id", "") == "required":
                found.add(str(node.args[0].value))
    return found


def load(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process that has only these variables."""
    return subprocess.run(
        [sys.executable, "-c", "from hub import settings as s; print(s.COVEY_URL, s.LOGGING['formatters']['line'])"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "COVEY_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def commands_of(parser: ArgumentParser) -> set[str]:
    """Every command, also those below another."""
    found = set()
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            found |= {name for each in action.choices.values() for name in commands_of(each)} | {*action.choices}
    return found


def test_every_command_is_in_the_readme() -> None:
    rows = re.findall(r"^\| (`covey .*)", (ROOT / "README.md").read_text(), re.MULTILINE)
    words = set(re.findall(r"[\w-]+", " ".join(rows)))
    assert commands_of(cli.parser()) <= words


def test_every_setting_is_in_the_readme() -> None:
    table = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert names_read() == table


def test_settings_are_read_in_one_place() -> None:
    """Other modules may hand the environment on, not choose by it."""
    allowed = {"settings.py", "env.py", "bind.py", "supervisor.py", "server.py"}
    for package in ("hub", "repos", "datasets", "experiments"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            reads = re.findall(r"os\.(?:getenv\(|environ\.get\(|environ\[)\"([A-Z_0-9]+)\"(?!\] =)", text)
            assert path.name in allowed or set(reads) <= {"PATH"}, f"{path} reads {reads}"


def test_the_embedded_default_needs_nothing(tmp_path: Path) -> None:
    home = tmp_path / "data"
    done = load(home)
    assert done.returncode == 0, done.stderr
    assert "http://127.0.0.1:8000" in done.stdout
    assert "PlainLines" in done.stdout
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    load(tmp_path)
    first = (tmp_path / "secret_key").read_text()
    load(tmp_path)
    assert (tmp_path / "secret_key").read_text() == first
    assert len(first) >= 50


def test_production_starts_when_everything_is_set(tmp_path: Path) -> None:
    done = load(tmp_path, **GOOD)
    assert done.returncode == 0, done.stderr
    assert "https://hub.example.org" in done.stdout
    assert "JsonLines" in done.stdout


@pytest.mark.parametrize("missing", ["SECRET_KEY", "COVEY_URL", "CACHE_URL", "BROKER_URL"])
def test_production_names_what_is_missing(tmp_path: Path, missing: str) -> None:
    refused(load(tmp_path, **{k: v for k, v in GOOD.items() if k != missing}), missing)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("COVEY_URL", "hub.example.org"),
        ("COVEY_URL", "https://hub.example.org/covey"),
        ("COVEY_URL", "https://hub.example.org:port"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "hub.example.org,*.example.org"),
        ("DEBUG", "1"),
        ("DEBUG", "perhaps"),
        ("DATABASE_URL", "mysql://hub@127.0.0.1/hub"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite:///covey.sqlite3"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("MLFLOW_DATABASE_URL", "sqlite:///mlflow.sqlite3"),
        ("MLFLOW_DATABASE_URL", "mysql://hub@127.0.0.1/mlflow"),
        ("CACHE_URL", "memcached://127.0.0.1"),
        ("BROKER_URL", "http://127.0.0.1"),
        ("COVEY_S3_ENDPOINT", "s3.example.org"),
        ("COVEY_S3_ENDPOINT", "https://s3.example.org"),
        ("COVEY_S3_PRESIGN", "perhaps"),
        ("RAW_HOST", "https://raw.example.org"),
        ("RAW_HOST", "hub.example.org"),
        ("COVEY_PROXIES", "proxy"),
        ("OUTBOUND_ALLOW", "10.0.0.0/8"),
        ("OUTBOUND_ALLOW", "10.0.0.0/99:443"),
        ("EMAIL_URL", "mail.example.org"),
        ("COVEY_WORKER_THREADS", "0"),
        ("COVEY_DB_POOL", "many"),
        ("COVEY_HOME", "/dev/null/data"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, name: str, value: str) -> None:
    refused(load(tmp_path, **{**GOOD, name: value}), name)


def test_a_relative_path_is_refused_with_the_whole_one(tmp_path: Path) -> None:
    """It would be another file, and an empty hub, to a command that is started in another folder."""
    done = load(tmp_path, DATABASE_URL="sqlite:///covey.sqlite3")
    assert f"Write sqlite:///{ROOT}/covey.sqlite3." in done.stderr


def test_a_short_secret_is_refused_without_a_server_too(tmp_path: Path) -> None:
    refused(load(tmp_path, SECRET_KEY="short"), "SECRET_KEY")


def refused(done: subprocess.CompletedProcess[str], name: str) -> None:
    assert done.returncode != 0
    assert done.stderr.startswith(f"covey: {name} "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
