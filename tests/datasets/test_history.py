"""The history of a dataset: its commits, what it became, and the way to each step's diff."""

from __future__ import annotations

import pytest

from datasets import results
from datasets.tracked import commits
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.support.work import work

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/datasets/history"


@pytest.fixture
def project(private, writer):
    made = writer(private)
    made.commit({"d.dvc": pointer("a" * 32 + ".dir", "d", size=10), "t.csv": "1\n", "README.md": "x"}, "First data")
    made.commit({"README.md": "y"}, "Only words")
    made.commit(
        {"d.dvc": pointer("b" * 32 + ".dir", "d", size=2048), "t.csv": "2\n"}, "More data", author="Bea <b@e.org>"
    )
    commits.index(private)
    return made


def test_the_commits_that_changed_it(project, as_user, bob):
    page = text(as_user(bob).get(f"{ADDRESS}/main/d"))
    for words in ("More data", "Bea", "2.0 KB", "First data", "added"):
        assert words in page
    assert "Only words" not in page
    parent, head = project.git("rev-parse", "main~1"), project.git("rev-parse", "main")
    assert f'href="/alice/private/datasets/diff/{parent}...{head}/d"' in page


def test_a_data_file_in_git_and_as_json(project, as_user, bob):
    steps = as_user(bob).get(f"{ADDRESS}/main/t.csv?format=json").json()["steps"]
    assert [step["version"]["size"] for step in steps] == [2, 2]
    assert [step["before"] is None for step in steps] == [False, True]


def test_rows_are_counted_once_per_version(private, writer, keep, as_user, bob):
    results.forget(private.pk)
    made = writer(private)
    tables = [keep(private, b"id\n" + b"1\n" * count) for count in (3, 5)]
    for number, oid in enumerate(tables):
        lost = md5(b"never pushed %d" % number)
        made.commit({"p.csv.dvc": pointer(oid, "p.csv"), "t.csv": "id\n1\n" * (number + 1)}, f"Version {number}")
        made.commit({"lost.csv.dvc": pointer(lost, "lost.csv"), "bad.parquet": f"PAR1 nonsense {number}"})
    commits.index(private)
    client = as_user(bob)
    for path, rows in (("p.csv", [5, 3]), ("t.csv", [3, 1]), ("bad.parquet", [None, None]), ("lost.csv", [None, None])):
        first = client.get(f"{ADDRESS}/main/{path}?format=json").json()
        assert first["counting"] == (path != "lost.csv")
        assert ("Counting the rows" in text(client.get(f"{ADDRESS}/main/{path}"))) == (path != "lost.csv")
        work()
        after = client.get(f"{ADDRESS}/main/{path}?format=json").json()
        assert not after["counting"]
        assert [step["version"]["rows"] for step in after["steps"]] == rows
    assert Job.objects.count() == 3
    page = text(client.get(f"{ADDRESS}/main/p.csv"))
    assert '<span class="added">+2</span>' in page
    ready = client.get(f"{ADDRESS}/main/p.csv", headers={"HX-Request": "true"})
    assert ready["HX-Redirect"] == f"{ADDRESS}/main/p.csv"


def test_the_data_page_leads_there(project, as_user, bob):
    assert f'href="{ADDRESS}/main/d"' in text(as_user(bob).get("/alice/private/data"))


def test_it_needs_few_queries(project, as_user, bob, django_assert_max_num_queries):
    client = as_user(bob)
    client.get(f"{ADDRESS}/main/d")
    with django_assert_max_num_queries(10):
        client.get(f"{ADDRESS}/main/d")


def test_who_may_and_what_is_not_there(project, as_user, bob, charlie):
    for user in (charlie, None):
        assert as_user(user).get(f"{ADDRESS}/main/d").status_code == 404
    client = as_user(bob)
    assert client.post(f"{ADDRESS}/main/d").status_code == 405
    for path in ("none", "main", "main/none", "main/d/inside"):
        assert client.get(f"{ADDRESS}/{path}").status_code == 404
