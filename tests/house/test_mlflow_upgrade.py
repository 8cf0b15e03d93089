"""MLflow's tables after a start that was killed while it made them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.support import services
from tests.support.hub import ROOT, embedded_hub

MAKE = """
import django
django.setup()
from experiments.mlflow import schema, server, upgrading
server.configure()
upgrading.upgrade_database(only_if_empty=True)
assert schema.database_revision() == schema.installed_revision()
"""


def test_a_start_that_was_killed_while_it_made_the_tables_is_made_good_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    database = home / "mlflow.sqlite3"
    environment = embedded_hub(home).environment | {"DJANGO_SETTINGS_MODULE": "hub.settings"}
    command = [sys.executable, "-W", "ignore", "-c", MAKE]
    first = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    scratch = home / "mlflow.sqlite3.upgrade"
    services.wait_until(lambda: scratch.exists() and has_table(scratch, "runs"), what="the first tables")
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert not has_table(database, "runs")
    subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=120)
    assert has_table(database, "runs")
    assert [name for name in os.listdir(home) if name.startswith(scratch.name)] == []


def has_table(path: Path, name: str) -> bool:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as link:
        found = link.execute("SELECT name FROM sqlite_schema WHERE name = ?", [name]).fetchall()
    link.close()
    return bool(found)
