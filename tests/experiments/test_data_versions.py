"""The version of the data that a run's commit starts from: a column of the table of runs, to sort, filter, group by."""

from __future__ import annotations

import csv
import io
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from experiments import indexing
from experiments.lineage import indexing as lineage
from experiments.mlflow import bulk
from experiments.models import DataState
from experiments.tracked.marks import DATA_TAG
from hub.jobs import outbox
from hub.jobs.models import Outbox
from tests.datasets.test_contents import pointer

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "/alice/private/experiments"
OLD, NEW, IMAGES = "a" * 32, "b" * 32, "c" * 32
ONE, OTHER = f"raw.csv {OLD[:12]}", f"raw.csv {NEW[:12]}"


@pytest.fixture
def runs(private: Any, client: Any, writer: Any) -> dict[str, str]:
    """Two runs on one version of raw.csv, whose commits differ in code; one on the next; one without a commit."""
    made = writer(private)
    shas = [
        made.commit({"raw.csv.dvc": pointer(OLD, "raw.csv"), ".dvc/config": ""}, "Data"),
        made.commit({"train.py": "print(1)\n"}, "Code"),
        made.commit({"raw.csv.dvc": pointer(NEW, "raw.csv")}, "More data"),
    ]
    named = {}
    for number, sha in enumerate(shas):
        tags = [{"key": "mlflow.source.git.commit", "value": sha}]
        named[sha] = client.run(run_name=f"run-{number}", start_time=number + 1, tags=tags)["run_id"]
    client.run(run_name="loose", start_time=9)
    indexing.refresh(private.pk)
    return named


def rows(pages: Any, **query: str) -> list[tuple[str, str]]:
    answer = pages.get(TABLE, {"format": "csv", "columns": "name,data", **query})
    found = csv.DictReader(io.StringIO(b"".join(answer).decode() if answer.streaming else answer.content.decode()))
    return [(row["name"], row["data"]) for row in found]


def test_it_is_a_column_with_a_link_to_the_data_of_the_commit(pages, runs):
    text = pages.get(TABLE).content.decode()
    for sha, told in zip(runs, (ONE, ONE, OTHER), strict=True):
        assert f'<a href="/alice/private/data/{sha}">{told}</a>' in text
    assert rows(pages, sort="data") == [("run-1", ONE), ("run-0", ONE), ("run-2", OTHER), ("loose", "")]


def test_runs_are_filtered_by_it(pages, runs):
    assert [name for name, _ in rows(pages, q=f'data = "{ONE}"')] == ["run-1", "run-0"]
    assert [name for name, _ in rows(pages, q=f'data like "%{NEW[:8]}%"')] == ["run-2"]
    assert [name for name, _ in rows(pages, q="data is null")] == ["loose"]


def test_runs_are_grouped_by_it(pages, runs):
    text = pages.get(TABLE, {"group": "data"}).content.decode()
    assert f'<td class="wrap">{ONE}</td>' in text
    assert f'<td class="wrap">{OTHER}</td>' in text
    assert 'aria-label="Show the 2 runs of this group"' in text
    assert '<span class="muted">none</span>' in text


def test_a_table_without_data_has_no_such_column(pages, client):
    client.run(run_name="loose")
    assert "sort=data" not in pages.get(TABLE).content.decode()


def test_only_the_hub_says_it(client):
    run_id = client.run(run_name="loose")["run_id"]
    tag = {"run_id": run_id, "key": "covey.data", "value": "mine"}
    answer = client.ask("POST", "api/2.0/mlflow/runs/set-tag", tag)
    assert answer.status == 400
    assert "set by the hub" in answer.text


def test_what_stages_make_counts_only_where_nothing_was_given(private, writer):
    made = writer(private)
    out = f"outs:\n    - path: model.pkl\n      md5: {NEW}\n"
    locked = f"schema: '2.0'\nstages:\n  train:\n    cmd: x\n    {out}"
    alone = made.commit({"dvc.lock": locked, "dvc.yaml": "stages: {}\n", ".dvc/config": ""}, "A model")
    assert lineage.version_of(private, alone) == f"model.pkl {NEW[:12]}"
    given = made.commit({"raw.csv.dvc": pointer(OLD, "raw.csv")}, "Data")
    assert lineage.version_of(private, given) == ONE
    several = made.commit({"images.dvc": pointer(f"{IMAGES}.dir", "images")}, "More data")
    told = lineage.version_of(private, several)
    assert told
    assert told.startswith("images, raw.csv ")
    assert len(told.rpartition(" ")[2]) == 12


def test_runs_that_were_indexed_before_are_marked_by_a_rebuild(pages, private, runs):
    with bulk.changing() as connection:
        bulk.tag(connection, DATA_TAG, dict.fromkeys(runs.values()))
    states = DataState.objects.count()
    indexing.refresh(private.pk)
    assert {told for _, told in rows(pages)} == {""}
    lineage.index_data(private, again=True)
    assert {told for _, told in rows(pages)} == {"", ONE, OTHER}
    assert DataState.objects.count() == states


def test_an_upgrade_marks_them_by_itself(pages, private, runs):
    with bulk.changing() as connection:
        bulk.tag(connection, DATA_TAG, dict.fromkeys(runs.values()))
    import_module("experiments.migrations.0006_mark_data_versions").announce(apps, None)
    for row in Outbox.objects.filter(topic="experiments.unmarked"):
        outbox.deliver(row.pk)
        assert not Outbox.objects.get(pk=row.pk).last_error
    assert {told for _, told in rows(pages)} == {"", ONE, OTHER}
