"""What a start does before it serves: the schema, and the static files when they changed."""

from __future__ import annotations

import fcntl
import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

logger = logging.getLogger("covey.prepare")
_MIGRATION_LOCK = 0x0C0E_A0D2  # PostgreSQL advisory lock: two hosts starting at once migrate one after the other


def prepare() -> None:
    """Bring the database and the static files up to date. Safe when several processes start at once."""
    with _one_at_a_time():
        migrate()
        collect_static()


def migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return
    logger.info("migrating the database: %d steps", len(plan))
    call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Collect and compress, unless the same files were collected before: that takes seconds."""
    found = _fingerprint()
    marker = settings.STATIC_ROOT / ".collected"
    if marker.exists() and marker.read_text() == found:
        return
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
def _one_at_a_time() -> Iterator[None]:
    with open(settings.COVEY_HOME / "prepare.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
