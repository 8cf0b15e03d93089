"""A page of the table is kept as long as nothing in MLflow's tables changed, and not a moment longer."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from django.test import Client as Browser

from experiments import snapshot
from hub.accounts.actor import Actor
from repos import collaborators
from tests.experiments.conftest import metric, undisturbed

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "/alice/private/experiments"


@pytest.fixture
def run_id(client):
    made = client.run(run_name="first")["run_id"]
    client.batch(made, metrics=[metric("acc", 0.5)])
    return made


def shown(pages, more=""):
    answer = pages.get(f"{TABLE}?columns=metrics.acc{more}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_nobody_changed_is_not_read_again(run_id, pages, statements):
    def twice():
        first = shown(pages)
        with statements() as told:
            again = shown(pages)
        assert [one for one in told if one != "SELECT 1"] == []
        assert "0.5" in first
        assert again.partition("<tbody")[2] == first.partition("<tbody")[2]

    undisturbed(twice)


@pytest.mark.parametrize(
    ("path", "asked", "seen"),
    [
        ("runs/log-metric", {"key": "acc", "value": 0.75, "timestamp": 9, "step": 9}, "0.75"),
        ("runs/update", {"run_name": "second"}, "second"),
        ("runs/update", {"status": "FINISHED", "end_time": 2000}, "Finished"),
        ("runs/delete", {}, "No run"),
    ],
)
def test_every_change_shows_at_once(run_id, client, pages, path, asked, seen):
    before, name = shown(pages, "&column=status"), snapshot.current()
    assert seen not in before
    client.call("POST", path, {"run_id": run_id, **asked})
    assert snapshot.current() != name
    assert seen in shown(pages, "&column=status")


def test_another_person_sees_it_as_they_want_it_while_they_may(run_id, pages, private, alice, bob):
    other = Browser()
    other.force_login(bob)
    assert "metrics.acc:max" not in shown(pages)
    assert "acc:max" in other.get(f"{TABLE}?columns=metrics.acc:max").content.decode()
    collaborators.remove(Actor(user=alice), private, bob)
    assert other.get(f"{TABLE}?columns=metrics.acc:max").status_code == 404


def test_a_file_of_sqlite_in_the_place_of_another_is_another_state(tmp_path):
    watch, path = snapshot._Watch(), tmp_path / "base"
    for value in (1, 2):
        with closing(sqlite3.connect(tmp_path / "new")) as link, link:
            link.execute("CREATE TABLE IF NOT EXISTS it (value)")
            link.execute("INSERT INTO it VALUES (?)", [value])
        shutil.copyfile(tmp_path / "new", tmp_path / "copy")
        (tmp_path / "copy").rename(path)
        if value == 1:
            first = watch.told(str(path))
            assert watch.told(str(path)) == first
    assert watch.told(str(path)) != first


def test_where_the_state_cannot_be_told_nothing_is_kept(tmp_path):
    watch = snapshot._Watch()
    assert len({watch.told(str(tmp_path / "absent")) for _ in range(3)}) == 3
