"""Statuses beside commits: on the commit, in lists and on branches, read at once."""

from __future__ import annotations

import pytest

from repos.statuses import marks, posting
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(bob, private, project):
    def make(sha: str = "", **fields: str):
        values = {"state": "success", "context": "ci", **fields}
        return posting.post(as_actor(bob), seen(bob, private), sha or project.tips["main"], **values)

    return make


@pytest.mark.parametrize("page", ["commit/main", "commits/main", "branches", "compare/first...main"])
def test_pages_show_them(as_user, bob, report, page):
    assert "circle-x" not in (before := as_user(bob).get(f"/alice/private/{page}").content.decode())
    assert "Statuses: " not in before
    report(state="failure", description="<b>2 failed</b>", target_url="https://ci.example.org/1?a=1&b=2")
    report(context="lint")
    shown = as_user(bob).get(f"/alice/private/{page}").content.decode()
    assert "Statuses: failed, 1 of 2 succeeded" in shown
    if page == "commit/main":
        assert "&lt;b&gt;2 failed" in shown
        assert 'href="https://ci.example.org/1?a=1&amp;b=2"' in shown


def test_a_list_asks_once(as_user, bob, report, project, django_assert_max_num_queries):
    first = project.git("rev-parse", "main~1")
    client = as_user(bob)
    client.get("/alice/private/commits/main")
    with django_assert_max_num_queries(1):
        assert marks.marks_of(project.repository, [first, project.tips["main"]]) == {}
    for number in range(5):
        report(context=f"ci/{number}")
        report(first, context=f"ci/{number}")
    with django_assert_max_num_queries(1):
        found = marks.marks_of(project.repository, [first, project.tips["main"]])
        assert [mark.total for mark in found.values()] == [5, 5]
    for page in ("commits/main", "branches"):
        with django_assert_max_num_queries(6):
            assert client.get(f"/alice/private/{page}").status_code == 200


def test_many_statuses_come_in_pages_what_failed_first(as_user, api, bob, report, project):
    for number in range(60):
        report(context=f"ci/{number:02}")
    report(context="ci/59", state="failure")
    client = as_user(bob)
    first = client.get("/alice/private/commit/main").content.decode()
    assert "Statuses: failed, 59 of 60 succeeded" in first
    assert first.index("ci/59") < first.index("ci/00")
    assert first.count('class="box-row status-row"') == 50
    assert "?statuses=2#statuses" in first
    second = client.get("/alice/private/commit/main?statuses=2").content.decode()
    assert second.count('class="box-row status-row"') == 10
    assert client.get("/alice/private/commit/main?statuses=x").status_code == 400
    answer = api(bob).get("/api/v1/repos/alice/private/commits/main/status?per_page=7&page=9")
    assert (answer.json()["total_count"], len(answer.json()["statuses"])) == (60, 4)
    assert 'rel="prev"' in answer.headers["Link"]
