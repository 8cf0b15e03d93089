"""What the first start of a hub makes, the same for each: tables and static files. Made once in a run, then copied."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support import services

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("covey.sqlite3", "mlflow.sqlite3")
TEMPLATE = "prepared"
MAKE = """
import django
django.setup()
from hub import prepare
from experiments.mlflow import server, upgrading
prepare.prepare()
server.configure()
upgrading.upgrade_database(only_if_empty=True)
"""


def embedded(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a hub whose home then has its databases."""
    with _once() as made:
        environment = {**environment, "COVEY_STATIC_ROOT": str(made / "static")}
        if not (made / "embedded").exists():
            _make({**environment, "COVEY_HOME": str(made / "embedding")})
            (made / "embedding").rename(made / "embedded")
    home = Path(environment["COVEY_HOME"])
    home.mkdir(mode=0o700, exist_ok=True)
    for name in DATABASES:
        source, copy = sqlite3.connect(made / "embedded" / name), sqlite3.connect(home / name)
        with closing(source), closing(copy):
            source.backup(copy)
        (home / name).chmod(0o600)
    return environment


def production(environment: dict[str, str], name: str) -> dict[str, str]:
    """The environment of a hub with a database of this name, beside that of environment."""
    url = environment["DATABASE_URL"]
    with _once() as made:
        environment = {**environment, "COVEY_STATIC_ROOT": str(made / "static")}
        if not services.has_database(url, TEMPLATE):
            making = services.fresh_database(url, f"{TEMPLATE}_{os.getpid()}")
            _make({**environment, "COVEY_HOME": str(made / "production"), "DATABASE_URL": making})
            services.rename_database(making, TEMPLATE)
    return {**environment, "DATABASE_URL": services.fresh_database(url, name, template=TEMPLATE)}


def _make(environment: dict[str, str]) -> None:
    Path(environment["COVEY_HOME"]).mkdir(mode=0o700, exist_ok=True)
    settings = {"DJANGO_SETTINGS_MODULE": "hub.settings"}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAKE], env=environment | settings, cwd=ROOT, check=True, timeout=600
    )


@contextmanager
def _once() -> Iterator[Path]:
    """The run's folder of what is made once, for one process at a time."""
    folder = Path(os.environ["COVEY_TEST_HOME"]) / "prepared"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
