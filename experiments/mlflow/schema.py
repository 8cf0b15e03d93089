"""Whether MLflow's tables are of the installed version, without importing MLflow (seconds, 200 MB)."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
from pathlib import Path

from django.conf import settings

_REVISION = re.compile(r"^(down_)?revision(?:\s*:[^=]*)?\s*=\s*[\"']([0-9a-f]+)[\"']", re.MULTILINE)


def behind() -> bool:
    """Whether the tables exist and wait for an upgrade."""
    found = database_revision()
    return found is not None and found != installed_revision()


def installed_revision() -> str:
    """The newest revision of the installed MLflow: the one that no other follows."""
    revisions, followed = _revisions()
    (newest,) = revisions - followed
    return newest


def knows(revision: str) -> bool:
    """Whether the installed MLflow is of this revision or newer."""
    return revision in _revisions()[0]


def _revisions() -> tuple[set[str], set[str]]:
    """All of the installed MLflow, and those that another one follows."""
    spec = importlib.util.find_spec("mlflow")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    revisions: set[str] = set()
    followed: set[str] = set()
    for folder in spec.submodule_search_locations:
        for path in (Path(folder) / "store" / "db_migrations" / "versions").glob("*.py"):
            for down, revision in _REVISION.findall(path.read_text()):
                (followed if down else revisions).add(revision)
    return revisions, followed


def database_revision() -> str | None:
    """What MLflow noted in its tables; None when there are none yet."""
    url = settings.MLFLOW_DATABASE_URL
    if url.startswith("sqlite"):
        path = sqlite_path(url)
        return _sqlite_revision(path) if path.exists() else None
    import psycopg

    with psycopg.connect(plain_postgres(url), connect_timeout=10) as link:
        try:
            row = link.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None


def sqlite_path(url: str) -> Path:
    """The file of SQLAlchemy's URL, which may have options behind it."""
    return Path(url.removeprefix("sqlite:///").partition("?")[0])


def plain_postgres(url: str) -> str:
    """SQLAlchemy's URL as libpq reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _sqlite_revision(path: Path) -> str | None:
    link = sqlite3.connect(path, timeout=30)
    try:
        row = link.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    finally:
        link.close()
    return str(row[0]) if row else None
