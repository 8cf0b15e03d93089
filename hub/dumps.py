"""One file with a consistent copy of a database, and the way back, while others use it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection

from experiments.mlflow.schema import plain_postgres, sqlite_path
from hub.lib.errors import Busy

HUB, MLFLOW = "hub", "mlflow"


def databases() -> Iterator[tuple[str, str]]:
    """(name, address) of each database of its own, also before it is made: MLflow's schema in the hub's PostgreSQL is
    not one."""
    if settings.SQLITE:
        yield HUB, str(connection.settings_dict["NAME"])
    else:
        yield HUB, _hub_postgres()
    mlflow = settings.MLFLOW_DATABASE_URL
    if mlflow.startswith("sqlite"):
        yield MLFLOW, str(sqlite_path(mlflow))
    elif plain_postgres(mlflow).partition("?")[0].rsplit("/", 1) != _hub_postgres().partition("?")[0].rsplit("/", 1):
        yield MLFLOW, plain_postgres(mlflow)


def is_made(address: str) -> bool:
    """MLflow's file is made when somebody first needs MLflow; a database of PostgreSQL is somebody else's to make."""
    return suffix(address) == "pgdump" or Path(address).exists()


def suffix(address: str) -> str:
    return "pgdump" if address.startswith("postgresql://") else "sqlite3"


def dump(address: str, target: Path) -> None:
    """Copy a database as of one moment. Raises Busy when PostgreSQL's tools are missing or fail."""
    if address.startswith("postgresql://"):
        _run_tool("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", address)
        return
    with closing(sqlite3.connect(address, timeout=60)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def holds_mlflow(source: Path) -> bool:
    """Whether MLflow's tables are in a dump of PostgreSQL."""
    return re.search(r" TABLE \S+ alembic_version ", _run_tool("pg_restore", "--list", str(source))) is not None


def load(address: str, source: Path) -> None:
    """Make a database what the dump says, in one transaction; who is connected sees the new rows after it."""
    if address.startswith("postgresql://"):
        _load_postgres(address, source)
        return
    with closing(sqlite3.connect(source)) as copy, closing(sqlite3.connect(address, timeout=60)) as target:
        copy.backup(target)


def empty(address: str) -> None:
    """Make a SQLite database one without tables; nothing to PostgreSQL's, whose dump is always there."""
    if not address.startswith("postgresql://"):
        with closing(sqlite3.connect(":memory:")) as nothing, closing(sqlite3.connect(address, timeout=60)) as target:
            nothing.backup(target)


# pg_restore drops what the dump knows. Tables that a newer version made hold on to those, and would be met again by
# its migrations.
_CLEAR = """
DO $$
DECLARE found regclass;
BEGIN
    FOR found IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')
        AND relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    LOOP EXECUTE 'DROP TABLE IF EXISTS ' || found || ' CASCADE'; END LOOP;
    DROP SCHEMA IF EXISTS mlflow CASCADE;
END $$;
"""


def _load_postgres(address: str, source: Path) -> None:
    script = source.with_suffix(".sql")  # whole before the first statement runs
    try:
        options = ("--clean", "--if-exists", "--no-owner", "--no-privileges")
        _run_tool("pg_restore", *options, f"--file={script}", str(source))
        quiet = ("--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1")
        once = ("--single-transaction", f"--command={_CLEAR}", f"--file={script}")
        _run_tool("psql", *quiet, *once, f"--dbname={address}")
    finally:
        script.unlink(missing_ok=True)


def _hub_postgres() -> str:
    return settings.DATABASE_URL.replace("postgres://", "postgresql://", 1)


def _run_tool(tool: str, *arguments: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise Busy(f"{tool} is missing.", details="Install postgresql-client of the server's version, or newer.")
    done = subprocess.run([found, *arguments], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()
        raise Busy(f"{tool} failed: {last[0]}", details="Its version must not be older than the server's.")
    return done.stdout
