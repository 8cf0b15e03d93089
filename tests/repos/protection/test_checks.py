"""Statuses and currency that a rule asks for: refused until they are so, shown in the merge box."""

from __future__ import annotations

import pytest

from repos.pulls import merging, requirements
from repos.pulls.merging import Order
from repos.pulls.requirements import RequirementsUnmet
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again

pytestmark = pytest.mark.django_db
BOX = "/alice/private/pull/1/merge-box"


def unmet(project, pull):
    found = requirements.unmet(pull, project.git("rev-parse", "main"), project.git("rev-parse", "work"))
    return sorted((one.name, one.pending) for one in found if one.by_rule)


def test_statuses_must_have_succeeded_at_the_head(alice, project, pull, ruled, report):
    ruled(statuses=["ci", "lint"])
    ruled("ma*", statuses=["lint", "train"])
    assert unmet(project, pull) == [("Status ci", True), ("Status lint", True), ("Status train", True)]
    report("pending")
    report("failure", context="lint")
    report(context="train")
    report(context="ci", sha=project.tips["main"])
    assert unmet(project, pull) == [("Status ci", True), ("Status lint", False)]
    with pytest.raises(RequirementsUnmet, match="Status ci: is still running"):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    report()
    report(context="lint")
    assert unmet(project, pull) == []
    project.commit({"c.txt": "c\n"}, "More", branch="work")
    assert len(unmet(project, pull)) == 3


def test_it_must_hold_every_commit_of_the_base(alice, bob, project, pull, ruled):
    ruled(up_to_date=True)
    assert unmet(project, pull) == []
    project.commit({"a.txt": "b\n"}, "Meanwhile")
    with pytest.raises(RequirementsUnmet, match="main has commits that this branch lacks") as caught:
        merging.merge(as_actor(bob), again(bob, pull), Order())
    assert "git merge origin/main" in caught.value.details


def test_the_box_follows(as_user, bob, project, pull, ruled, report):
    ruled(statuses=["ci"])
    client = as_user(bob)
    page = client.get(BOX).content.decode()
    assert "has not been reported yet" in page
    assert 'hx-trigger="every 5s"' in page
    address = page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert "Status ci" in client.get(address).content.decode()
    report("pending")
    assert "still running" in client.get(address).content.decode()
    report()
    assert 'hx-target="#merge-box"' in client.get(address).content.decode()
    page = client.get(BOX).content.decode()
    assert "This can be merged" in page
    assert "Statuses: passed, 1 of 1 succeeded" in page
    assert "every 5s" not in page


def test_four_questions_of_the_fragment(as_user, bob, charlie, pull):
    path = "/alice/private/pull/1/checks"
    assert as_user(bob).get(path).status_code == 200
    assert as_user(bob).post(path).status_code == 405
    assert as_user(charlie).get(path).status_code == 404
    assert as_user(None).get(path).status_code == 404


def test_the_box_costs_few_queries(as_user, bob, pull, ruled, report, django_assert_max_num_queries):
    ruled(statuses=[f"ci/{number}" for number in range(20)])
    for number in range(20):
        report("pending", context=f"ci/{number}")
    client = as_user(bob)
    client.get(BOX)
    with django_assert_max_num_queries(20):
        client.get(BOX)
