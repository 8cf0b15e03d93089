"""The pages of pull requests: they work, refuse other methods, hide what is private, and know who may do what."""

from __future__ import annotations

import pytest

from repos.models import Access, Membership
from repos.pulls.models import PullRequest
from tests.repos.pulls.conftest import TEXT, again, branched

pytestmark = pytest.mark.django_db
BASE = "/alice/private"
PAGES = ["/pulls", "/pull/1", "/pull/1/commits", "/pull/1/files", "/pull/1/data", "/pull/1/pipelines"]
PAGES += ["/pull/1/merge-box", "/pull/1.diff", "/pull/1/range", "/pull/1/notebooks"]
VERBS = {
    "/pulls/create": {"title": "Back", "base": "work", "head": "third"},
    "/pull/1/merge": {},
    "/pull/1/viewed": {"file": f"diff-{'0' * 16}:{'0' * 40}:{'1' * 40}"},
    "/pull/1/unviewed": {"file": f"diff-{'0' * 16}:{'0' * 40}:{'1' * 40}"},
    "/pull/1/reopen": {},
    "/pull/1/delete-branch": {},
    "/pull/1/restore-branch": {},
    "/pull/1/revert": {},
    "/pull/1/update-branch": {},
    "/pull/1/ready": {},
    "/pull/1/draft": {},
}


@pytest.fixture
def stage(project, proposed):
    return proposed(title="A <b>change</b>", body="See `new.txt`")


@pytest.mark.parametrize("page", PAGES)
def test_its_members_see_it(stage, bob, as_user, page):
    answer = as_user(bob).get(BASE + page)
    assert answer.status_code == 200
    assert b"A <b>" not in b"".join(answer)


@pytest.mark.parametrize("page", PAGES)
def test_pages_refuse_other_methods(stage, bob, as_user, page):
    assert as_user(bob).post(BASE + page).status_code == 405


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_are_posted(stage, bob, as_user, verb):
    assert as_user(bob).get(BASE + verb).status_code == 405


@pytest.mark.parametrize("address", [*PAGES, *VERBS])
def test_a_stranger_finds_nothing(stage, charlie, as_user, address):
    answer = getattr(as_user(charlie), "get" if address in PAGES else "post")(BASE + address)
    assert answer.status_code == 404


def test_readers_open_but_do_not_merge_or_delete(stage, charlie, private, as_user):
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    client = as_user(charlie)
    assert b"Somebody with write access can merge it." in client.get(f"{BASE}/pull/1/merge-box").content
    assert client.post(f"{BASE}/pull/1/merge").status_code == 403
    assert client.post(f"{BASE}/pull/1/delete-branch").status_code == 403
    assert client.post(f"{BASE}/issues/1/close").status_code == 403


def test_the_story_from_comparison_to_merge(project, bob, private, as_user):
    client = as_user(bob)
    compared = client.get(f"{BASE}/compare/main...work").content.decode()
    assert "Create pull request" in compared
    assert 'name="title" value="Rewrite"' in compared
    made = client.post(f"{BASE}/pulls/create", {"title": "Rewrite", "body": "", "base": "main", "head": "work"})
    assert made.headers["Location"] == f"{BASE}/pull/1"
    assert "Rewrite" in client.get(f"{BASE}/pulls").content.decode()
    assert "line three" in client.get(f"{BASE}/pull/1/files").content.decode().replace("<mark>", "").replace(
        "</mark>", ""
    )
    assert client.get(f"{BASE}/pull/1/commits").content.count(b"commit-row") == 1
    box = client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert "This can be merged" in box
    form = {"expected": project.tips["work"], "method": "squash", "title": "One line", "delete_branch": "1"}
    assert client.post(f"{BASE}/pull/1/merge", form).headers["Location"] == f"{BASE}/pull/1"
    assert project.git("show", "-s", "--format=%s", "main") == "One line"
    assert "Merged" in client.get(f"{BASE}/pull/1").content.decode()
    assert "Delete the branch" not in client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert client.get(f"{BASE}/pull/1/files").status_code == 200


def test_a_second_one_is_refused_with_what_was_written(stage, bob, as_user):
    form = {"title": "Again", "body": "My text", "base": "main", "head": "work"}
    answer = as_user(bob).post(f"{BASE}/pulls/create", form)
    assert answer.status_code == 409
    assert b"#1 asks for that already." in answer.content
    assert b"My text" in answer.content


def test_conflicts_are_listed_with_the_way_out(project, proposed, bob, as_user):
    proposed()
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n")}, "Meanwhile")
    client = as_user(bob)
    box = client.get(f"{BASE}/pull/1/merge-box").content.decode()
    assert "This has conflicts" in box
    assert "both sides changed the same lines" in box
    assert "git merge origin/main" in box
    assert client.post(f"{BASE}/pull/1/merge").headers["Location"] == f"{BASE}/pull/1"
    assert PullRequest.objects.get().merged is None


def test_a_base_that_was_replaced_or_deleted_is_told(project, proposed, bob, as_user, api):
    proposed()
    project.git("update-ref", "refs/heads/main", project.commit({"other": "1"}, "Other", branch="apart"))
    assert "no common commit any more" in as_user(bob).get(f"{BASE}/pull/1/merge-box").content.decode()
    for verb in ("merge", "update-branch"):
        refused = api(bob).put(f"/api/v1/repos/alice/private/pulls/1/{verb}", {}, format="json")
        assert (refused.status_code, refused.json()["error"]) == (422, "These branches have no common commit.")
    project.git("update-ref", "-d", "refs/heads/main")
    assert "choose another base" in as_user(bob).get(f"{BASE}/pull/1/merge-box").content.decode()


def test_commands_to_copy_run_nothing_that_a_branch_is_called(project, proposed, bob, as_user):
    project.git("branch", "-m", "work", "`id`;$(id)")
    proposed(head="`id`;$(id)")
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n")}, "Meanwhile")
    client = as_user(bob)
    assert "git switch &#x27;`id`;$(id)&#x27;" in client.get(f"{BASE}/pull/1/merge-box").content.decode()
    answer = client.post(f"{BASE}/pull/1/merge", {"method": "rebase"}, follow=True).content.decode()
    assert "git switch &#x27;`id`;$(id)&#x27; &amp;&amp; git rebase origin/main" in answer


def test_a_branch_that_moved_since_it_was_looked_at_is_told(project, proposed, bob, as_user):
    proposed()
    answer = as_user(bob).post(f"{BASE}/pull/1/merge", {"expected": "0" * 40})
    assert answer.status_code == 409
    assert b"has new commits" in answer.content


def test_closing_and_reopening(project, proposed, alice, bob, as_user):
    pull, client = proposed(), as_user(bob)
    client.post(f"{BASE}/issues/1/close")
    assert again(alice, pull).issue.state == "closed"
    assert f'formaction="{BASE}/pull/1/reopen"' in client.get(f"{BASE}/pull/1").content.decode()
    client.post(f"{BASE}/pull/1/reopen", {"body": "Wanted after all"})
    assert again(alice, pull).issue.is_open
    assert pull.issue.entries.get(kind="comment").body == "Wanted after all"


def test_what_cannot_be_reopened_gets_no_comment(project, proposed, bob, as_user):
    pull, client = proposed(), as_user(bob)
    client.post(f"{BASE}/issues/1/close")
    project.git("update-ref", "-d", "refs/heads/work")
    assert client.post(f"{BASE}/pull/1/reopen", {"body": "Wanted after all"}).status_code == 404
    assert not pull.issue.entries.filter(kind="comment").exists()


def test_the_panels_name_where_upper_apps_answer(project, proposed, bob, as_user):
    proposed()
    client, base, head = as_user(bob), project.tips["main"], project.tips["work"]
    for tab, page in {"data": "datasets", "experiments": "experiments", "pipelines": "pipelines"}.items():
        shown = client.get(f"{BASE}/pull/1/{tab}").content.decode()
        assert f'hx-get="{BASE}/{page}/diff/{base}...{head}?pull=1"' in shown
    assert client.get(f"{BASE}/datasets/diff/{base}...{head}").status_code == 200


def test_an_issue_is_no_pull_request(private, alice, as_user, project, proposed):
    proposed()
    as_user(alice).post(f"{BASE}/issues/new", {"title": "x"})
    assert as_user(alice).get(f"{BASE}/pull/2").status_code == 404
    assert as_user(alice).get(f"{BASE}/pull/99").status_code == 404


def test_a_public_one_is_read_by_anybody(alice, public, writer, proposed, as_user):
    branched(writer(public))
    proposed(repository=public)
    for page in PAGES:
        assert as_user(None).get(f"/alice/public{page}").status_code == 200
    assert "Create pull request" not in as_user(None).get("/alice/public/compare/main...work").content.decode()


def test_the_page_costs_few_queries(project, proposed, bob, as_user, django_assert_max_num_queries):
    proposed()
    client = as_user(bob)
    for page in ("/pull/1", "/pull/1/files", "/pull/1/merge-box"):
        with django_assert_max_num_queries(18):
            client.get(BASE + page)


def test_ticked_ones_are_reopened_as_if_alone(project, proposed, alice, bob, as_user):
    pull, client = proposed(), as_user(bob)
    client.post(f"{BASE}/issues/bulk/close?kind=pull", {"number": 1})
    assert not again(alice, pull).issue.is_open
    done = client.post(f"{BASE}/pulls/bulk/reopen?kind=pull&q=is%3Aclosed", {"number": 1})
    assert done.headers["Location"] == f"{BASE}/pulls?q=is%3Aclosed"
    assert again(alice, pull).issue.is_open
    client.post(f"{BASE}/issues/bulk/close?kind=pull", {"number": 1})
    project.git("update-ref", "-d", "refs/heads/work")
    page = client.post(f"{BASE}/pulls/bulk/reopen?kind=pull", {"number": 1}, follow=True).content.decode()
    assert "There is no branch" in page


def test_templates_are_offered(project, alice, as_user):
    client, compare = as_user(alice), f"{BASE}/compare/main...work"
    project.commit({".github/pull_request_template.md": "## Why\n", "docs/x.md": "x"})
    assert "## Why" in client.get(compare).content.decode()
    more = {
        f".covey/PULL_REQUEST_TEMPLATE/{name}.md": f"---\nname: For {name}\n---\nAbout {name}" for name in ("a", "b")
    }
    project.commit(more)
    page = client.get(compare).content.decode()
    assert "## Why" in page
    assert "For b</a>" in page
    assert "About b" in client.get(f"{compare}?template=b.md").content.decode()
    project.commit({".github/pull_request_template.md": None})
    page = client.get(compare).content.decode()
    assert "For a</a>" in page
    assert "About" not in page
