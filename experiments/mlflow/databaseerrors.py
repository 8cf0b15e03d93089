"""What MLflow's database refuses, in plain words: MLflow would send the statement and its values to the client."""

from __future__ import annotations

import logging

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from hub.lib.errors import OutOfSpace, says_disk_full

logger = logging.getLogger("covey.mlflow")


class NoRoom(MlflowException):
    """507: MLflow's error codes have no such thing, and its client repeats what it takes for an outage."""

    def __init__(self) -> None:
        full = OutOfSpace()
        super().__init__(f"{full.message} {full.details}", INTERNAL_ERROR)

    def get_http_status_code(self) -> int:
        return OutOfSpace.code


def hide(engine: Engine) -> None:
    """From now on the errors of this engine carry no SQL; the log does, without the values."""
    if not event.contains(engine, "handle_error", _plain):
        event.listen(engine, "handle_error", _plain, retval=True)


def _plain(context: ExceptionContext) -> BaseException | None:
    """The error to raise instead, or None for the same one, which has lost its statement."""
    if says_disk_full(context.original_exception):
        logger.error("MLflow's database has no room: %s", context.original_exception)
        return NoRoom()
    if isinstance(context.original_exception, OverflowError):  # sqlite3's; PostgreSQL's is a DataError
        return MlflowException("A number is larger than the database can keep.", INVALID_PARAMETER_VALUE)
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError):
        # MLflow asks whether a name is there by making it once more: nothing to tell people of.
        level = logging.DEBUG if isinstance(error, IntegrityError) else logging.INFO
        logger.log(level, "MLflow's database: %s: %s", type(error).__name__, error.statement)
        error.statement = error.params = None
        error.code = ""  # a link to SQLAlchemy's manual
        error.args = (_words(error), *error.args[1:])
    return None


def _words(error: DBAPIError) -> str:
    said = str(error.orig).splitlines()[0] if str(error.orig) else ""
    if isinstance(error, IntegrityError):
        return "The database refused it: it is there already, or it names something that is not."
    if isinstance(error, DataError):  # too long, out of range: the first line names the kind, never the statement
        return f"The database cannot keep such a value: {said}."
    if isinstance(error, OperationalError):
        # MLflow repeats what says "deadlock".
        return "The database ended a deadlock." if "deadlock" in said else "The database did not answer. Try again."
    return "The database refused it."
