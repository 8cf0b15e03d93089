"""What a start does before it serves: the schema, and the static files when they changed."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from experiments.mlflow import schema as mlflow_schema
from experiments.mlflow import server as mlflow_server
from experiments.mlflow import upgrading
from hub import backup, dumps, env
from hub.lib.errors import Busy
from hub.lib.objectstore import S3Store
from hub.lib.stores import object_store

logger = logging.getLogger("covey.prepare")
MARKER = ".collected"
_MIGRATION_LOCK = 0x0C0E_A0D2  # a PostgreSQL advisory lock


def prepare() -> None:
    """Bring the database and the static files up to date. Safe when several processes start at once."""
    reach_databases()
    with _file_lock(settings.COVEY_HOME / "prepare.lock"), _database_lock():
        migrate()
    if not is_collected():  # in a container they were at build time, and the folder cannot be written
        try:
            with _file_lock(settings.STATIC_ROOT.with_name(f"{settings.STATIC_ROOT.name}.lock")):
                collect_static()
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            what = f"{settings.STATIC_ROOT}: {error.strerror}"
            raise env.SettingError(
                "COVEY_STATIC_ROOT", what, "Name a folder this user may make and write to."
            ) from None
    make_bucket()


def migrate(*, backup_first: bool = True) -> None:
    """Bring Django's and MLflow's tables to this version, after a copy of the databases when they hold anything."""
    steps, mlflow_behind = pending_migrations(), mlflow_schema.behind()
    if not steps and not mlflow_behind:
        return
    if backup_first and settings.COVEY_UPGRADE_BACKUP and MigrationRecorder(connection).applied_migrations():
        folder = env.private_folder(settings.COVEY_HOME / "backups")
        name = f"before-upgrade-{time.strftime('%Y%m%d-%H%M%S')}.tar"
        logger.info("databases copied to %s", backup.write(folder / name, databases_only=True))
    if steps:
        logger.info("migrating the database: %d steps", steps)
        call_command("migrate", interactive=False, verbosity=0)
    if mlflow_behind:
        logger.info("upgrading MLflow's tables")
        mlflow_server.configure()
        upgrading.upgrade_database()


def pending_migrations() -> int:
    """How many steps the database is behind this version."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def reach_databases() -> None:
    """Raises Busy when a database that the settings name cannot be used, with the next step."""
    for name, address in dumps.databases():
        setting = "DATABASE_URL" if name == dumps.HUB else "MLFLOW_DATABASE_URL"
        if dumps.suffix(address) != "pgdump":
            folder = Path(address).parent
            if not folder.is_dir():
                raise Busy(
                    f"There is no folder {folder} for {Path(address).name}.",
                    details=f"Make it (mkdir -p {shlex.quote(str(folder))}), or mend {setting}.",
                )
            continue
        from psycopg.conninfo import conninfo_to_dict

        from hub.lib import postgresql  # here, since psycopg is not imported for nothing

        hub = name == dumps.HUB
        postgresql.reach(setting, connection.get_connection_params() if hub else conninfo_to_dict(address))


def require_database() -> int:
    """How many steps it is behind. Raises Busy when it does not answer."""
    reach_databases()
    try:
        return pending_migrations()
    except OperationalError as error:
        raise Busy(f"The database does not answer: {str(error).strip()}.", details="See `covey doctor`.") from error


def require_schema() -> None:
    """Raises Busy when the database does not answer, or is not of this version."""
    if steps := require_database():
        raise Busy(
            f"The database is {steps} migrations behind this version.",
            details="Start the hub (`covey up` or `covey serve`): it migrates first.",
        )


def make_bucket() -> None:
    """Make the bucket of a new S3 store. One that answers otherwise is left alone: `covey doctor` tells of it."""
    store = object_store()
    if not isinstance(store, S3Store):
        return
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        store.control.head_bucket(Bucket=store.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            logger.info("making the bucket %s", store.bucket)
            store.control.create_bucket(Bucket=store.bucket)
    except BotoCoreError as error:
        logger.error("the object store does not answer: %s", error)


def collect_static() -> None:
    """Collect and compress what changed since the last start. An interrupted collection is begun anew."""
    root: Path = settings.STATIC_ROOT
    if is_collected():
        return
    if not (root / MARKER).exists():
        shutil.rmtree(root, ignore_errors=True)
    (root / MARKER).unlink(missing_ok=True)
    logger.info("collecting static files")
    call_command("collectstatic", interactive=False, verbosity=0)
    (root / MARKER).write_text(_fingerprint())


def is_collected() -> bool:
    """Whether the static files are there, and of this version."""
    marker: Path = settings.STATIC_ROOT / MARKER
    return marker.exists() and marker.read_text() == _fingerprint()


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
