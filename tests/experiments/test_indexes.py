"""Our indexes in MLflow's tables: there from the start, away while MLflow changes its tables, and used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from experiments import database
from experiments.mlflow import indexes, upgrading

pytestmark = pytest.mark.django_db(transaction=True)
OWN = {("runs", "covey_runs"), ("latest_metrics", "covey_latest_metrics")}


def own(connection: Connection) -> set[tuple[str, str]]:
    found = {
        (table, index["name"])
        for table in ("runs", "latest_metrics")
        for index in inspect(connection).get_indexes(table)
    }
    return {(table, str(name)) for table, name in found if str(name).startswith("covey_")}


@pytest.fixture
def connection(tables: None) -> Iterator[Connection]:
    with database.engine().begin() as made:
        yield made


def test_they_are_made_with_the_tables(connection: Connection) -> None:
    assert own(connection) == OWN


def test_an_upgrade_runs_without_them_and_makes_them_again(tables: None, monkeypatch: Any) -> None:
    """What MLflow's own step sees is asked at its first line: our indexes are away."""
    from mlflow.store.db import utils

    seen: list[set[tuple[str, str]]] = []
    real = utils._upgrade_db

    def watched(engine: Any) -> None:
        with engine.connect() as link:
            seen.append(own(link))
        real(engine)

    monkeypatch.setattr(utils, "_upgrade_db", watched)
    upgrading.upgrade_database()
    assert seen == [set()]
    with database.engine().begin() as link:
        assert own(link) == OWN


def test_tables_that_have_none_get_them_at_the_next_start(tables: None) -> None:
    with database.engine().begin() as link:
        indexes.drop(link)
        assert own(link) == set()
    upgrading.upgrade_database(only_if_empty=True)
    with database.engine().begin() as link:
        assert own(link) == OWN
