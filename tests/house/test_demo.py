"""The demo: made through the product's own functions, the same each time, seeded once."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

from datasets.models import StoredObject
from datasets.tracked.contents import DvcSource
from experiments.filters.parser import parse
from experiments.listing import Query, page
from experiments.mlflow.context import workspace_of
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.demo import data, pipeline, seeding, texts
from hub.lib.errors import Busy, Unprocessable
from repos import repositories
from repos.git.store import refs
from repos.issues import threads
from repos.issues.models import Thread
from repos.models import Repository
from repos.storage import store


@pytest.fixture
def unmarked():
    for mark in (seeding.MARK, seeding.BEGUN):
        mark.unlink(missing_ok=True)
    yield
    for mark in (seeding.MARK, seeding.BEGUN):
        mark.unlink(missing_ok=True)


def test_its_data_is_the_same_each_time():
    assert data.observations(clean=False) == data.observations(clean=False)
    assert data.images() == data.images()
    assert len(data.images()) == 60
    assert data.observations(clean=False).count(b"\n") == 2_001


def test_cleaning_its_data_drops_rows_and_mends_labels_only():
    raw, clean = (list(csv.DictReader(data.observations(clean=it).decode().splitlines())) for it in (False, True))
    kept = {row["id"]: row for row in clean}
    dropped = [row for row in raw if row["id"] not in kept]
    changed = {name for row in raw if row["id"] in kept for name in row if row[name] != kept[row["id"]][name]}
    assert {row["temperature_c"] for row in dropped} == {"999.0"}
    assert changed == {"species"}


def test_its_scripts_make_what_its_lock_says(tmp_path):
    pictures, table = data.images(), data.observations(clean=False)
    made = pipeline.run(table, pictures, texts.PARAMS)
    files = {path: text.encode() for path, text in {**texts.SOURCES, "params.yaml": texts.PARAMS}.items()}
    files |= {"data/observations.csv": table} | {f"data/images/{path}": body for path, body in pictures.items()}
    for path, body in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(body)
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/runs.db"}
    for stage in pipeline.records({**made.files, **files}, {}, made.metrics, texts.PARAMS).values():
        command = [sys.executable, *stage["cmd"].split()[1:]]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=240)
    assert {path: (tmp_path / path).read_bytes() for path in made.files} == made.files
    assert (tmp_path / "metrics.json").read_text() == made.metrics


@pytest.mark.django_db(transaction=True)
def test_it_is_whole_small_and_never_made_again(unmarked):
    seeding.seed_once()
    repository = Repository.objects.get(owner__name_key="demo", name_key="bird-counter")
    branches = refs(store().open_for_read(repository.pk), "refs/heads/")
    assert set(branches) == {"refs/heads/main", "refs/heads/clean-labels"}
    assert repository.runs_count == 45
    wanted = Query(
        workspace_of(repository.pk), parse("source != mlflow"), columns=("params.train.lr", "metrics.val_acc")
    )
    assert [
        (row.source, row.name, row.params.get("train.lr"), row.metrics.get("val_acc")) for row in page(wanted).rows
    ] == [
        ("commit", "Train again, for longer", "0.003", 0.7719),
        ("exp", "brisk-wren", "0.003", 0.7165),
        ("exp", "plump-owlet", "0.01", 0.6329),
        ("commit", "Run the pipeline", "0.003", 0.7165),
        ("commit", "Add the pipeline", "0.003", None),
    ]
    table = DvcSource().stat(repository, branches["refs/heads/main"], "data/observations.csv")
    assert table is not None
    assert table.present
    sizes = StoredObject.objects.filter(repository=repository).values_list("blob__size", flat=True)
    assert sum(sizes) < 5_000_000
    repository.refresh_from_db()
    assert not repository.private
    with pytest.raises(Unprocessable):
        seeding.seed()
    repositories.delete(Actor(user=User.objects.get(username="demo")), repository)
    seeding.seed_once()
    assert not Repository.objects.filter(owner__name_key="demo", deleted=None).exists()


@pytest.mark.django_db(transaction=True)
def test_half_of_it_is_made_anew(unmarked, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(seeding.conversations, "talk", killed)
        with pytest.raises(KeyboardInterrupt):
            seeding.seed_once()
    half = Repository.objects.get(owner__name_key="demo", deleted=None)
    seeding.seed_once()
    whole = Repository.objects.get(owner__name_key="demo", deleted=None)
    assert whole.pk != half.pk
    assert whole.issues.count() == 6
    assert (seeding.MARK.exists(), seeding.BEGUN.exists()) == (True, False)


def killed(*_):
    raise KeyboardInterrupt


@pytest.mark.django_db(transaction=True)
def test_a_table_that_a_worker_is_reading_is_waited_for(unmarked, monkeypatch):
    begin, tries = threads.begin, []

    def busy_at_first(*asked):
        tries.append(asked)
        if len(tries) == 1:
            raise Busy("The table is still being read.")
        return begin(*asked)

    monkeypatch.setattr(threads, "begin", busy_at_first)
    seeding.seed_once()
    assert len(tries) == 3  # the row twice, the picture
    assert Thread.objects.count() == 2
