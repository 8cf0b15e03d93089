"""The diff of a table between two revisions, as JSON: in DVC, in a folder of DVC, in git; keys, pages, failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from datasets.dvc import manifests
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_diff_files import ADDRESS, ask
from tests.support.work import work
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db
ONE = b"id,name,score\n1,ann,10\n2,bob,20\n3,cid,30\n4,dan,40\n"
TWO = b"id,name,score\n1,ann,10\n2,BOB,21\n4,dan,41\n5,eve,50\n6,fay,60\n"


def two_versions(made: Writer, keep: Callable[..., str]) -> Writer:
    """Two commits on main, the first tagged v1."""
    one, two = keep(made.repository, ONE), keep(made.repository, TWO)
    folders = [keep(made.repository, manifests.dumps([("in/p.csv", md5_)]), suffix=".dir") for md5_ in (one, two)]
    bad = keep(made.repository, b"PAR1 nonsense")
    made.commit(
        {
            "people.csv.dvc": pointer(one, "people.csv"),
            "d.dvc": pointer(folders[0], "d"),
            "git.csv": ONE,
            "model.bin.dvc": pointer(one, "model.bin"),
            "bad.parquet.dvc": pointer(one, "bad.parquet"),
            "lost.csv.dvc": pointer(one, "lost.csv"),
            "gone.csv": ONE,
        }
    )
    made.git("tag", "v1")
    made.commit(
        {
            "people.csv.dvc": pointer(two, "people.csv"),
            "d.dvc": pointer(folders[1], "d"),
            "git.csv": TWO,
            "model.bin.dvc": pointer(two, "model.bin"),
            "bad.parquet.dvc": pointer(bad, "bad.parquet"),
            "lost.csv.dvc": pointer(md5(b"never pushed"), "lost.csv"),
            "gone.csv": None,
            "new.csv": ONE,
        }
    )
    return made


@pytest.fixture
def project(private, writer, keep):
    return two_versions(writer(private), keep)


def counts(answer: Any) -> tuple[int, ...]:
    return tuple(answer["summary"][name] for name in ("rows_added", "rows_removed", "rows_changed", "cells_changed"))


@pytest.mark.parametrize("path", ["people.csv", "d/in/p.csv", "git.csv"])
def test_rows_and_cells(project, as_user, bob, path):
    response = ask(as_user(bob), f"v1...main/{path}")
    assert response.status_code == 200
    answer = response.json()
    assert (answer["kind"], answer["state"]) == ("table", "done")
    assert counts(answer) == (2, 1, 2, 3)
    assert answer["key"] == {"columns": ["id"], "guessed": True, "declared": False, "repeated": {"base": 0, "head": 0}}
    assert answer["columns"] == ["id", "name", "score"]
    changed = [row for row in answer["rows"] if row["status"] == "changed"]
    assert changed[0]["cells"] == [["2", "2"], ["bob", "BOB"], ["20", "21"]]
    assert changed[0]["changed"] == ["name", "score"]


def test_the_same_bytes_need_no_work(project, as_user, bob):
    answer = as_user(bob).get(f"{ADDRESS}/main...main/people.csv?format=json").json()
    assert (answer["state"], answer["identical"], counts(answer)) == ("done", True, (0, 0, 0, 0))
    assert not Job.objects.exists()


def test_the_key_of_the_query_and_none(project, as_user, bob):
    by_name = ask(as_user(bob), "v1...main/git.csv", key="name").json()
    assert by_name["key"]["columns"] == ["name"]
    assert counts(by_name) == (3, 2, 1, 1)
    bag = ask(as_user(bob), "v1...main/git.csv", unkeyed="1").json()
    assert bag["key"]["columns"] == []
    wrong = ask(as_user(bob), "v1...main/git.csv", key="nr")
    assert wrong.status_code == 422
    assert "'nr'" in wrong.json()["error"]


def test_the_key_that_the_repository_declares(project, as_user, bob):
    config = "datasets:\n  keys:\n    '*.csv': [name]\n"
    project.commit({".covey/config.yml": config})
    answer = ask(as_user(bob), "v1...main/git.csv").json()
    assert answer["key"] | {"columns": ["name"], "guessed": False, "declared": True} == answer["key"]
    project.commit({".covey/config.yml": "datasets: [&a [*a"})
    assert ask(as_user(bob), "v1...main/git.csv").json()["key"]["guessed"]


def test_a_tolerance(project, as_user, bob):
    assert counts(ask(as_user(bob), "v1...main/git.csv", key="id", tolerance="0.1").json()) == (2, 1, 1, 1)
    assert as_user(bob).get(f"{ADDRESS}/v1...main/git.csv?format=json&tolerance=nan").status_code == 400


def test_rows_by_status_and_by_column(project, as_user, bob):
    client = as_user(bob)
    assert ask(client, "v1...main/git.csv", status="added").json()["total"] == 2
    assert ask(client, "v1...main/git.csv", column="name", status="changed").json()["total"] == 1
    shown = ask(client, "v1...main/git.csv", columns="changed").json()
    assert shown["columns"] == ["id", "name", "score"]
    assert client.get(f"{ADDRESS}/v1...main/git.csv?format=json&page=99").json()["rows"] == []


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        (["score:ge:50"], 2),
        (["name:eq:bob"], 1),  # before
        (["name:eq:BOB"], 1),  # after
        (["score:gt:20", "score:le:30"], 2),
        (["score:eq:20", "name:eq:BOB"], 0),  # never both on one side
        (["name:notnull"], 5),
    ],
)
def test_rows_by_what_they_held_or_hold(project, as_user, bob, filters, total):
    answer = ask(as_user(bob), "v1...main/git.csv", key="id", filter=filters).json()
    assert (answer["total"], len(answer["rows"])) == (total, total)


def test_filters_of_nothing_are_refused(project, as_user, bob):
    client = as_user(bob)
    ask(client, "v1...main/git.csv")
    for wrong in ("nr:eq:1", "score:like:1", "score:gt:many", "score"):
        response = client.get(f"{ADDRESS}/v1...main/git.csv", {"filter": wrong, "format": "json"})
        assert response.status_code == 400, wrong
        assert "filter" in response.json()["error"] or "score" in response.json()["error"]


def test_a_table_that_came_or_went(project, as_user, bob):
    assert counts(ask(as_user(bob), "v1...main/new.csv").json()) == (4, 0, 0, 0)
    assert counts(ask(as_user(bob), "v1...main/gone.csv").json()) == (0, 4, 0, 0)


def test_a_file_that_is_no_table_has_versions(project, as_user, bob):
    answer = as_user(bob).get(f"{ADDRESS}/v1...main/model.bin?format=json").json()
    assert (answer["kind"], answer["identical"]) == ("text", False)
    assert answer["versions"]["base"] == {"hash": md5(ONE), "versioning": "dvc", "size": len(ONE), "present": True}


def test_data_that_was_never_pushed_is_named(project, as_user, bob):
    answer = as_user(bob).get(f"{ADDRESS}/v1...main/lost.csv?format=json").json()
    assert answer["state"] == "missing"
    assert answer["missing"] == [{"side": "head", "path": "lost.csv", "pointer": "lost.csv.dvc"}]


def test_what_cannot_be_read_is_said_with_what_is_known(project, as_user, bob):
    response = ask(as_user(bob), "v1...main/bad.parquet")
    assert response.status_code == 422
    answer = response.json()
    assert [problem["side"] for problem in answer["problems"]] == ["base", "head"]
    assert "named like parquet" in answer["error"]


def test_an_overrun_says_so_and_can_be_tried_again(project, as_user, bob, monkeypatch):
    from hub.lib.sandbox_job import Limits

    monkeypatch.setattr("datasets.comparison.comparing.LIMITS", Limits(seconds=0.01))
    client = as_user(bob)
    response = ask(client, "v1...main/people.csv")
    assert response.status_code == 422
    assert "more time or memory" in response.json()["error"]
    monkeypatch.undo()
    client.post(response.json()["again_url"])
    work()
    assert counts(ask(client, "v1...main/people.csv").json()) == (2, 1, 2, 3)


def test_the_same_comparison_is_made_once(project, as_user, bob, alice):
    ask(as_user(bob), "v1...main/people.csv")
    first = project.git("rev-parse", "v1")
    assert as_user(alice).get(f"{ADDRESS}/{first}...main/people.csv?format=json").status_code == 200
    assert as_user(alice).get(f"{ADDRESS}/v1...main/d/in/p.csv?format=json").status_code == 200  # the same bytes
    assert Job.objects.count() == 1


def test_it_needs_few_queries(project, as_user, bob, django_assert_max_num_queries):
    client = as_user(bob)
    ask(client, "v1...main/people.csv")
    with django_assert_max_num_queries(10):
        client.get(f"{ADDRESS}/v1...main/people.csv?format=json")


def test_names_that_are_no_utf8_and_columns_with_zero_characters(private, writer, get_bytes, bob):
    made = writer(private)
    made.commit({b"\xff.jsonl": b'{"id": 1, "a\\u0000b": 1}\n{"id": 2, "a\\u0000b": 2}\n'})
    made.git("tag", "v1")
    made.commit({b"\xff.jsonl": b'{"id": 1, "a\\u0000b": 1}\n{"id": 2, "a\\u0000b": 3}\n'})
    for path, name in (("", "files_modified"), ("/%FF.jsonl", "rows_changed")):
        address = f"{ADDRESS}/v1...main{path}?format=json"
        assert get_bytes(bob, address).status_code == 202
        work()
        answer = get_bytes(bob, address)
        assert answer.status_code == 200, answer.content
        assert answer.json()["summary"][name] == 1
