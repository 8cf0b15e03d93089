"""What apps ask for before a merge: refused with every reason, asked again at the last moment, listed on the page."""

from __future__ import annotations

import pytest

from repos.pulls import merging, requirements
from repos.pulls.merging import Order
from repos.pulls.requirements import RequirementsUnmet, Unmet
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registering")]
WANTED = Unmet("Blessing", "The oracle has not spoken.", "Ask the oracle.")


def test_what_is_unmet_is_said_and_nothing_is_merged(alice, private, project, proposed):
    asked = []
    requirements.register(lambda pull, base, head: asked.append((pull.number, base, head)) or [WANTED])
    pull = proposed()
    with pytest.raises(
        RequirementsUnmet, match=r"cannot be merged yet. Blessing: The oracle has not spoken."
    ) as caught:
        merging.merge(as_actor(alice), again(alice, pull), Order())
    assert caught.value.details == "Ask the oracle."
    assert asked == [(1, project.tips["main"], project.tips["work"])]
    assert project.git("rev-parse", "main") == project.tips["main"]
    assert again(alice, pull).claimed is None


def test_what_is_withdrawn_while_the_merge_is_made_stops_it(alice, private, project, proposed):
    answers = [[], [WANTED]]
    requirements.register(lambda pull, base, head: answers.pop(0))
    pull = proposed()
    with pytest.raises(RequirementsUnmet):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    assert answers == []
    assert project.git("rev-parse", "main") == project.tips["main"]
    assert again(alice, pull).issue.is_open


def test_the_merge_box_lists_it_instead_of_a_button(alice, private, project, proposed, as_user):
    proposed()
    path = "/alice/private/pull/1/merge-box"
    assert b"This can be merged" in as_user(alice).get(path).content
    requirements.register(lambda pull, base, head: [WANTED])
    page = as_user(alice).get(path).content.decode()
    assert "The oracle has not spoken." in page
    assert "Ask the oracle." in page
    assert 'pull/1/merge"' not in page
    answer = as_user(alice).post("/alice/private/pull/1/merge", {"method": "merge"}, follow=True)
    assert b"This cannot be merged yet." in answer.content


def test_the_api_says_why(alice, private, project, proposed, api):
    proposed()
    requirements.register(lambda pull, base, head: [WANTED])
    answer = api(alice).put("/api/v1/repos/alice/private/pulls/1/merge", {}, content_type="application/json")
    assert answer.status_code == 409
    assert answer.json()["details"] == "Ask the oracle."
