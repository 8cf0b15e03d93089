"""A power cut may tear the refs that pull requests keep: they come back, and nobody is asked to push them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import doctor
from repos.git import damage, store
from repos.git.store import refs
from repos.issues import states
from repos.models import Repository
from repos.pulls import branches, testmerges
from repos.pulls.models import PullRequest
from repos.storage import store as repositories
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again
from tests.repos.pulls.test_testmerges import work

pytestmark = pytest.mark.django_db


def found_torn(repository: Repository, ref: str) -> Path:
    """By a process that has just started: the repository as it opens it."""
    (repository.path / ref).write_bytes(b"")
    store._looked_at.clear()
    return repositories().open_for_read(repository.pk)


def test_a_head_is_where_it_was_though_its_branch_is_gone(alice, private, project, proposed, as_user):
    pull = proposed()
    work()
    states.close(as_actor(alice), pull.issue)
    project.git("update-ref", "-d", "refs/heads/work")
    path = found_torn(private, pull.ref)
    assert refs(path)[pull.ref] == project.tips["work"]
    assert damage.damaged(path) == damage.lost(path) == []
    assert as_user(alice).get("/alice/private/pull/1/files").status_code == 200


def test_what_was_reviewed_is_told_by_its_own_name(private, project, proposed):
    pull = proposed()
    branches.keep(pull, project.tips["work"])
    ref = f"refs/reviewed/1/{project.tips['work']}"
    assert refs(found_torn(private, ref))[ref] == project.tips["work"]


def test_a_test_merge_is_made_anew(alice, private, project, proposed):
    pull = proposed()
    work()
    was = refs(private.path)[pull.merge_ref]
    path = found_torn(private, pull.merge_ref)
    assert damage.damaged(path) == damage.lost(path) == []
    assert pull.merge_ref not in refs(path)
    testmerges.want(again(alice, pull))
    work()
    assert refs(path)[pull.merge_ref] == was


def test_one_whose_commit_is_not_here_is_lost_and_named(private, project, proposed):
    pull = proposed()
    work()
    PullRequest.objects.filter(pk=pull.pk).update(head_id="1" * 40)
    path = found_torn(private, pull.ref)
    assert damage.lost(path) == [pull.ref]
    assert f"{pull.ref} of alice/private" in next(found for found in doctor.examine() if found.part == "refs").text
