"""What a start does before it serves: the schema, and the static files when they changed."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from hub.lib.errors import Busy

logger = logging.getLogger("covey.prepare")
_MIGRATION_LOCK = 0x0C0E_A0D2  # a PostgreSQL advisory lock


def prepare() -> None:
    """Bring the database and the static files up to date. Safe when several processes start at once."""
    with _file_lock(settings.COVEY_HOME / "prepare.lock"), _database_lock():
        migrate()
    with _file_lock(settings.STATIC_ROOT.with_name(f"{settings.STATIC_ROOT.name}.lock")):
        collect_static()


def migrate() -> None:
    if steps := pending_migrations():
        logger.info("migrating the database: %d steps", steps)
        call_command("migrate", interactive=False, verbosity=0)


def pending_migrations() -> int:
    """How many steps the database is behind this version."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def require_schema() -> None:
    """Raises Busy when the database does not answer, or is not of this version."""
    try:
        steps = pending_migrations()
    except OperationalError as error:
        raise Busy(f"The database does not answer: {str(error).strip()}.", details="See `covey doctor`.") from error
    if steps:
        raise Busy(
            f"The database is {steps} migrations behind this version.",
            details="Start the hub (`covey up` or `covey serve`): it migrates first.",
        )


def collect_static() -> None:
    """Collect and compress what changed since the last start. An interrupted collection is begun anew."""
    root: Path = settings.STATIC_ROOT
    marker = root / ".collected"
    found = _fingerprint()
    if not marker.exists():
        shutil.rmtree(root, ignore_errors=True)
    elif marker.read_text() == found:
        return
    marker.unlink(missing_ok=True)
    logger.info("collecting static files")
    call_command("collectstatic", interactive=False, verbosity=0)
    marker.write_text(found)


def _fingerprint() -> str:
    """A digest over name, size and time of every static file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path}\0{storage.size(path)}\0{storage.get_modified_time(path).timestamp()}\n".encode())
    return digest.hexdigest()


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _database_lock() -> Iterator[None]:
    """Two hosts that share a PostgreSQL migrate one after the other."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
