"""Connections to PostgreSQL that do not wait for ever for a server that is frozen, or gone without a word, and of
which none is used that the server has ended meanwhile.

Pages and machines share few connections: each that waits for an answer that never comes holds up everybody else.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Mapping
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

from hub.lib.errors import Busy

T = TypeVar("T")
ANSWER_SECONDS = 30.0  # of one statement, in the web process; commands and workers may take their time
# A host that lost its power is noticed within a minute, in workers too; the system's own default is two hours.
CONNECTING = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
REACH_SECONDS = 5  # a server that starts beside the hub has these
_STRANGER = re.compile(r"authentication|permission denied|no password supplied|pg_hba|role .* does not exist")
_ABSENT = re.compile(r'database ".*" does not exist')
_patience: float | None = None


def be_impatient() -> None:
    """From now on no statement of this process is waited for longer than ANSWER_SECONDS."""
    global _patience
    _patience = ANSWER_SECONDS


def reach(setting: str, parameters: Mapping[str, Any]) -> None:
    """Connect once. Raises Busy with what the server said: the pool knows only that it has no connection, after 10 s.

    setting: the variable that parameters (psycopg's) come from.
    """
    deadline = time.monotonic() + REACH_SECONDS
    while True:
        try:
            psycopg.connect(**{**parameters, "connect_timeout": REACH_SECONDS}).close()
        except psycopg.OperationalError as error:
            said = str(error)
            wrong = _STRANGER.search(said) or _ABSENT.search(said)  # all else passes: a start, too many connections
            if wrong or time.monotonic() > deadline:
                raise _refusal(setting, parameters, said) from error
            time.sleep(0.5)
        else:
            return


def _refusal(setting: str, parameters: Mapping[str, Any], said: str) -> Busy:
    where = f"PostgreSQL at {parameters.get('host') or 'its local socket'}:{parameters.get('port') or 5432}"
    name, user = parameters.get("dbname"), parameters.get("user")
    reason = said.strip().splitlines()[0].rsplit("failed: ", 1)[-1].removeprefix("FATAL:").strip()
    if _ABSENT.search(said):
        return Busy(
            f'{where} has no database "{name}".', details=f'Make it (CREATE DATABASE "{name}"), or mend {setting}.'
        )
    if _STRANGER.search(said):
        return Busy(
            f'{where} does not let "{user}" in: {reason}.',
            details=f"Mend user and password in {setting}; there @ : / % of a password are %40 %3A %2F %25.",
        )
    return Busy(f"{where} does not answer: {reason}.", details=f"Start it, or mend {setting}.")


class Connection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Raises OperationalError when the server has not answered in time; the connection is closed then."""
        try:
            return super().wait(gen, interval, timeout or _patience)
        except _WaitTimeout as error:
            if timeout is not None:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from error

    def is_alive(self) -> bool:
        """Whether an idle connection can still be used. Costs a trip to the server only when it has said something,
        as it does when it ends."""
        if self.closed:
            return False
        heard = select.poll()
        heard.register(self.fileno(), select.POLLIN)
        if not heard.poll(0):
            return True
        try:
            self.execute("")
        except psycopg.Error:
            return False
        return True


def exchange_dead(connection: Any, **_: Any) -> None:
    """Receiver of Django's connection_created: what the pool gave may have ended while it was idle, as all have after
    a restart of the server. The pool's own check sleeps between two tries."""
    pool = getattr(connection, "pool", None)
    while pool and not connection.connection.is_alive():
        dead, connection.connection = connection.connection, None
        dead.close()
        pool.putconn(dead)  # which makes another in its place
        connection.connection = pool.getconn()


def connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Connection:
    """What SQLAlchemy's event do_connect calls instead of psycopg.connect."""
    return Connection.connect(*arguments, **CONNECTING | options)
