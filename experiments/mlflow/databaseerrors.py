"""What MLflow's database refuses, in plain words: MLflow would send the statement and its values to the client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, ErrorCode
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from hub.lib.errors import OutOfSpace, says_disk_full

logger = logging.getLogger("covey.mlflow")
# What Python raises on a value of another kind than it was written for.
BAD_VALUES = (ValueError, TypeError, AttributeError, KeyError)
_INTERNAL = ErrorCode.Name(INTERNAL_ERROR)


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


def tell_causes(store: Any) -> None:
    """From now on what MLflow trips over in a session is raised as it is; MLflow calls it all an internal error."""
    make_session = store.ManagedSessionMaker

    @contextmanager
    def session(*args: Any, **options: Any) -> Iterator[Any]:
        try:
            with make_session(*args, **options) as made:
                yield made
        except MlflowException as error:
            if error.error_code == _INTERNAL and isinstance(error.__cause__, BAD_VALUES):
                raise error.__cause__ from None
            raise

    store.ManagedSessionMaker = session


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
