"""What a repository allows of ways to merge, and what its merge box proposes."""

from __future__ import annotations

import pytest

from hub.lib.errors import Unprocessable
from repos.models import Repository
from repos.pulls import merging
from repos.pulls.merging import Order
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again

pytestmark = pytest.mark.django_db
BASE, V1 = "/alice/private", "/api/v1/repos/alice/private"
SETTINGS = f"{BASE}/settings/pull-requests"


def test_only_what_is_allowed_is_offered_and_done(alice, bob, private, project, proposed, as_user):
    pull = proposed()
    form = {"squash": "on", "rebase": "on", "usual": "rebase", "delete_merged_branches": "on"}
    assert as_user(alice).post(SETTINGS, form).status_code == 302
    box = as_user(bob).get(f"{BASE}/pull/1/merge-box").content.decode()
    assert box.index('<option value="rebase">') < box.index('<option value="squash">')
    assert '<option value="merge">' not in box
    assert 'value="1" checked>' in box
    with pytest.raises(Unprocessable, match="does not allow to merge by merge") as caught:
        merging.merge(as_actor(bob), again(bob, pull), Order(method="merge"))
    assert caught.value.details == "Merge by rebase or squash."
    assert again(bob, pull).claimed is None


def test_a_merge_by_the_api_follows_the_settings(alice, private, project, proposed, api):
    proposed()
    api(alice).patch(V1, {"allow_merge_commit": False, "delete_branch_on_merge": True}, format="json")
    assert api(alice).put(f"{V1}/pulls/1/merge", {"merge_method": "merge"}, format="json").status_code == 422
    done = api(alice).put(f"{V1}/pulls/1/merge", {}, format="json").json()
    assert project.git("show", "-s", "--format=%s", done["sha"]) == "Rewrite a line (#1)"
    assert "work" not in project.git("branch", "--list")


def test_the_settings_are_for_administrators(private, alice, bob, charlie, as_user):
    assert as_user(alice).get(SETTINGS).status_code == 200
    assert as_user(bob).get(SETTINGS).status_code == 403
    assert as_user(charlie).get(SETTINGS).status_code == 404
    assert as_user(alice).delete(SETTINGS).status_code == 405
    none = as_user(alice).post(SETTINGS, {"usual": "merge"})
    assert none.status_code == 422
    assert b"No way to merge is left." in none.content
    assert as_user(alice).post(SETTINGS, {"merge": "on", "usual": "squash"}).status_code == 422


def test_the_api_names_them_as_github_does(private, alice, bob, api):
    wanted = {"allow_merge_commit": False, "default_merge_method": "squash", "delete_branch_on_merge": True}
    changed = api(alice).patch(V1, wanted, format="json").json()
    assert {key: changed[key] for key in wanted} == wanted
    assert (changed["allow_squash_merge"], changed["allow_rebase_merge"]) == (True, True)
    assert Repository.objects.get().merge_methods == "squash rebase"
    for refused in ({"allow_squash_merge": False, "allow_rebase_merge": False}, {"default_merge_method": "merge"}):
        assert api(alice).patch(V1, refused, format="json").status_code == 422
    assert api(bob).patch(V1, wanted, format="json").status_code == 403
