"""MLflow loaded once; its tables emptied after each test, for repository ids come again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from sqlalchemy import event

from experiments import database, snapshot
from experiments.mlflow import server
from repos.models import Repository
from tests.support import emptying
from tests.support.asgi import Answer, ask, basic

API = "api/2.0/mlflow"


@pytest.fixture(scope="session")
def mlflow_app() -> Any:
    return server.load()


@pytest.fixture
def tables(mlflow_app: Any) -> Iterator[None]:
    yield
    from mlflow.store.db.base_sql_model import Base

    emptying.empty_mlflow(database.engine(), Base.metadata)
    shutil.rmtree(settings.COVEY_HOME / "artifacts", ignore_errors=True)


@pytest.fixture
def statements() -> Callable[[], Any]:
    """Listens to what is asked of MLflow's tables. What names PostgreSQL's state reads none."""

    @contextmanager
    def listening() -> Iterator[list[str]]:
        told: list[str] = []
        database.tables_exist()  # asked once in a process

        def note(*given: Any) -> None:
            if "pg_current_snapshot" not in given[2]:
                told.append(given[2])

        event.listen(database.reading_engine(), "before_cursor_execute", note)
        try:
            yield told
        finally:
            event.remove(database.reading_engine(), "before_cursor_execute", note)

    return listening


def undisturbed(act: Callable[[], None]) -> None:
    """act() while nobody writes: PostgreSQL names the state of its whole server, of which other tests have a part
    too."""
    for _ in range(50):
        name = snapshot.current()
        try:
            act()
            return
        except AssertionError:
            if snapshot.current() == name:
                raise
    act()


class Client:
    """Calls one repository's mount as one token. call() gives the JSON of a 200 and fails on anything else."""

    def __init__(self, repository: Repository, token: str) -> None:
        self.base = f"/{repository.full_name}.mlflow/"
        self.headers = basic(token)

    def ask(self, method: str, path: str, document: Any = None, **options: Any) -> Answer:
        body = [json.dumps(document).encode()] if document is not None else options.pop("body", ())
        headers = {**self.headers, "content-type": "application/json", **options.pop("headers", {})}
        return ask(method, self.base + path, headers=headers, body=body, **options)

    def call(self, method: str, path: str, document: Any = None) -> Any:
        answer = self.ask(method, f"{API}/{path}", document)
        assert answer.status == 200, answer.text
        return json.loads(answer.body or b"{}")

    def run(self, experiment_id: str = "0", **fields: Any) -> dict[str, Any]:
        made = self.call("POST", "runs/create", {"experiment_id": experiment_id, "start_time": 1, **fields})
        info: dict[str, Any] = made["run"]["info"]
        return info

    def batch(self, run_id: str, **content: Any) -> Answer:
        return self.ask("POST", f"{API}/runs/log-batch", {"run_id": run_id, **content})


@pytest.fixture
def client_of(tables: None, token_of: Callable[..., str]) -> Callable[..., Client]:
    return lambda repository, user, **options: Client(repository, token_of(user, **options))


@pytest.fixture
def client(client_of: Callable[..., Client], alice: Any, private: Repository) -> Client:
    """alice on alice/private."""
    return client_of(private, alice)


@pytest.fixture
def pages(client: Client, alice: Any) -> Browser:
    """alice's browser."""
    browser = Browser()
    browser.force_login(alice)
    return browser


def metric(key: str, value: Any, step: int = 0, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": 1000 + step, "step": step, **more}
