"""Drafts, the base that is changed, and the branch that is deleted and had back."""

from __future__ import annotations

import pytest

from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos.git.store import refs
from repos.issues import listing, query, states
from repos.models import Access, Membership
from repos.pulls import drafts, heads, merging, opening
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again, deliver

pytestmark = pytest.mark.django_db
BASE, V1 = "/alice/private", "/api/v1/repos/alice/private"


def kinds(pull: PullRequest) -> list[str]:
    return list(pull.issue.entries.order_by("pk").values_list("kind", flat=True))


def test_a_draft_is_not_merged_before_it_is_ready(alice, bob, private, project, proposed):
    pull = proposed(draft=True)
    with pytest.raises(Conflict, match="draft"):
        merging.merge(as_actor(bob), again(bob, pull), Order())
    drafts.mark_ready(as_actor(alice), again(alice, pull))
    drafts.mark_ready(as_actor(alice), again(alice, pull))
    drafts.mark_draft(as_actor(bob), again(bob, pull))
    assert kinds(pull) == ["readied", "drafted"]
    stale = again(bob, pull)
    drafts.mark_ready(as_actor(bob), again(bob, pull))
    merging.merge(as_actor(bob), again(bob, pull), Order())
    with pytest.raises(Unprocessable, match="merged already"):
        drafts.mark_draft(as_actor(bob), stale)


def test_lists_tell_drafts_apart(alice, private, project, proposed, as_user):
    proposed(draft=True)
    project.commit({"z.txt": "z"}, branch="other", start=project.tips["main"])
    proposed(head="other")
    for asked, numbers in (("draft:true", [1]), ("draft:false", [2])):
        page = listing.page(seen(alice, private), as_actor(alice), query.parse(asked), kind="pull")
        assert [issue.number for issue in page.rows] == numbers
    page = as_user(alice).get(f"{BASE}/pulls").content.decode()
    assert page.count(" Draft</span>") == 1
    assert as_user(alice).get(f"{BASE}/pulls?q=draft%3Amaybe").status_code == 422


def test_people_make_drafts_on_the_page(bob, project, as_user):
    client = as_user(bob)
    client.post(f"{BASE}/pulls/create", {"title": "x", "base": "main", "head": "work", "draft": "1"})
    assert " Draft</span>" in client.get(f"{BASE}/pull/1").content.decode()
    box = client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert "This is a draft" in box
    assert "Ready for review" in box
    assert 'pull/1/merge"' not in box
    client.post(f"{BASE}/pull/1/ready")
    box = client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert "This can be merged" in box
    client.post(f"{BASE}/pull/1/draft")
    assert PullRequest.objects.get().draft


def test_the_api_knows_drafts(bob, project, api):
    client = api(bob)
    new = {"title": "x", "head": "work", "base": "main", "draft": True}
    assert client.post(f"{V1}/pulls", new, format="json").json()["draft"] is True
    refused = client.put(f"{V1}/pulls/1/merge", {}, format="json")
    assert (refused.status_code, refused.json()["details"]) == (405, "Mark it as ready for review first.")
    assert client.patch(f"{V1}/pulls/1", {"draft": False}, format="json").json()["draft"] is False
    assert client.put(f"{V1}/pulls/1/merge", {"merge_method": "rebase"}, format="json").json()["merged"] is True


# ---- the base ------------------------------------------------------------------------------------
def test_the_base_changes_and_is_compared_anew(alice, private, project, proposed, as_user):
    project.commit({"r.txt": "r"}, "Release", branch="release", start=project.tips["main"])
    pull = proposed()
    opening.change_base(as_actor(alice), again(alice, pull), "release")
    now = again(alice, pull)
    assert (now.base, now.base_id) == ("release", project.tips["release"])
    assert now.issue.entries.get().detail == {"from": "main", "to": "release"}
    with pytest.raises(Conflict, match="base was changed"):
        merging.merge(as_actor(alice), pull_with_repository(alice, pull), Order())
    merging.merge(as_actor(alice), now, Order())
    assert project.git("rev-parse", "main") == project.tips["main"]
    assert "r.txt" in project.git("ls-tree", "--name-only", "release")


def pull_with_repository(user, pull):
    """As it was read before the base was changed."""
    pull.issue.repository = seen(user, pull.repository)
    return pull


def test_a_base_that_cannot_be_is_refused(alice, charlie, private, project, proposed):
    pull = again(alice, proposed())
    project.commit({"z": "z"}, branch="apart")
    project.commit({"a": "a"}, branch="ahead", start=project.tips["work"])
    project.commit({"o": "o"}, branch="other", start=project.tips["main"])
    proposed(base="other")
    for base, error, words in (
        ("absent", NotFound, "no branch"),
        ("apart", Unprocessable, "no common commit"),
        ("ahead", Unprocessable, "every commit"),
        ("work", Unprocessable, "every commit"),
        ("other", Conflict, "#2 asks for that"),
        ("x\0", Unprocessable, "character"),
    ):
        with pytest.raises(error, match=words):
            opening.change_base(as_actor(alice), pull, base)
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    with pytest.raises(Denied):
        opening.change_base(as_actor(charlie), again(charlie, pull), "other")
    PullRequest.objects.filter(pk=pull.pk).update(claimed="2030-01-01T00:00Z")
    project.commit({"p": "p"}, branch="free", start=project.tips["main"])
    with pytest.raises(Conflict, match="right now"):
        opening.change_base(as_actor(alice), pull, "free")
    assert again(alice, pull).base == "main"


def test_the_base_is_changed_by_page_and_api(bob, project, proposed, as_user, api):
    proposed()
    project.commit({"r.txt": "r"}, "Release", branch="release", start=project.tips["main"])
    client = as_user(bob)
    assert '<option value="release">' in client.get(f"{BASE}/pull/1/base").content.decode()
    assert client.post(f"{BASE}/pull/1/base", {"base": "absent"}).status_code == 404
    assert client.post(f"{BASE}/pull/1/base", {"base": "release"}).status_code == 302
    assert api(bob).get(f"{V1}/pulls/1").json()["base"]["ref"] == "release"
    changed = api(bob).patch(f"{V1}/pulls/1", {"base": "main", "title": "Other"}, format="json").json()
    assert (changed["base"]["ref"], changed["title"]) == ("main", "Other")
    assert api(bob).patch(f"{V1}/pulls/1", {"base": "absent", "title": "No"}, format="json").status_code == 404
    assert api(bob).get(f"{V1}/pulls/1").json()["title"] == "Other"


# ---- the branch ----------------------------------------------------------------------------------
def test_the_branch_is_had_back_as_it_was(alice, bob, private, project, proposed, as_user):
    pull = proposed()
    with pytest.raises(Unprocessable):
        heads.restore_branch(as_actor(bob), again(bob, pull))
    merging.merge(as_actor(bob), again(bob, pull), Order(method="squash", delete_branch=True))
    client = as_user(bob)
    assert "Restore the branch work" in client.get(f"{BASE}/pull/1/merge-box").content.decode()
    client.post(f"{BASE}/pull/1/restore-branch")
    deliver()
    assert refs(private.path)["refs/heads/work"] == project.tips["work"]
    assert kinds(pull) == ["merged", "head_deleted", "head_restored"]
    with pytest.raises(Conflict, match="a branch 'work' already"):
        heads.restore_branch(as_actor(bob), again(bob, pull))


def test_a_closed_one_whose_branch_went_is_had_back_and_opened_again(alice, private, project, proposed):
    pull = proposed()
    states.close(as_actor(alice), pull.issue)
    heads.delete_branch(as_actor(alice), again(alice, pull))
    heads.restore_branch(as_actor(alice), again(alice, pull))
    opening.reopen(as_actor(alice), again(alice, pull))
    assert again(alice, pull).issue.is_open


def test_a_branch_that_went_already_is_said_to_have_gone(alice, bob, private, project, proposed, as_user, api):
    pull = proposed()
    merging.merge(as_actor(alice), again(alice, pull), Order())
    heads.delete_branch(as_actor(alice), again(alice, pull))
    refused = api(bob).delete(f"{V1}/pulls/1/branch")
    assert (refused.status_code, refused.json()["error"]) == (404, "The branch 'work' no longer exists.")
    assert api(bob).delete(f"{V1}/branches/work").status_code == 404
    page = as_user(bob).post(f"{BASE}/pull/1/delete-branch", follow=True)
    assert page.status_code == 200
    assert "The branch &#x27;work&#x27; no longer exists." in page.content.decode()


def test_a_branch_that_cannot_go_is_kept_and_the_merge_stands(alice, private, project, proposed, monkeypatch):
    pull, finish = proposed(), merging.finish

    def pushed_just_then(*arguments):  # after the swap, before the branch is looked at: finish itself is all there
        project.commit({"late.txt": "late"}, branch="work")
        return finish(*arguments)

    monkeypatch.setattr(merging, "finish", pushed_just_then)
    merging.merge(as_actor(alice), again(alice, pull), Order(delete_branch=True))
    deliver()
    assert again(alice, pull).issue.state == "merged"
    assert refs(private.path)["refs/heads/work"] == project.tips["work"]
    assert kinds(pull)[:2] == ["merged", "head_kept"]
