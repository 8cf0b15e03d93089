"""GitHub's paths and verbs of pull requests."""

from __future__ import annotations

import json

import pytest

from repos.pulls.models import PullRequest
from tests.repos.pulls.conftest import TEXT

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private"
NEW = {"title": "Rewrite", "body": "Text", "head": "work", "base": "main"}


def test_a_pull_request_lives(bob, project, api):
    client, tip = api(bob), project.tips["work"]
    made = client.post(f"{V1}/pulls", NEW, format="json")
    assert made.status_code == 201
    pull = made.json()
    assert (pull["number"], pull["state"], pull["merged"]) == (1, "open", False)
    assert (pull["head"]["ref"], pull["head"]["sha"], pull["base"]["ref"]) == ("work", tip, "main")
    assert client.post(f"{V1}/pulls", NEW, format="json").status_code == 409
    assert [one["number"] for one in client.get(f"{V1}/pulls?base=main").json()] == [1]
    assert client.get(f"{V1}/pulls?head=alice:other").json() == []
    assert client.get(f"{V1}/pulls/1").json()["mergeable"] is True
    assert [one["id"] for one in client.get(f"{V1}/pulls/1/commits").json()] == [tip]
    files = client.get(f"{V1}/pulls/1/files").json()
    assert [(one["filename"], one["status"], one["additions"]) for one in files] == [
        ("a.txt", "modified", 1),
        ("new.txt", "added", 1),
    ]
    assert client.get(f"{V1}/pulls/1/merge").status_code == 404
    assert client.get(f"{V1}/issues/1").json()["pull_request"]["url"].endswith("/pulls/1")
    order = {"merge_method": "squash", "commit_title": "One", "sha": tip}
    done = client.put(f"{V1}/pulls/1/merge", order, format="json").json()
    assert (done["merged"], project.git("show", "-s", "--format=%s", done["sha"])) == (True, "One")
    assert client.get(f"{V1}/pulls/1/merge").status_code == 204
    assert client.put(f"{V1}/pulls/1/merge", {}, format="json").status_code == 405
    for path in ("pulls", "issues"):
        refused = client.patch(f"{V1}/{path}/1", {"state": "open"}, format="json")
        assert (refused.status_code, refused.json()["error"]) == (422, "A merged pull request stays merged.")
    closed = client.get(f"{V1}/pulls?state=closed").json()[0]
    assert (closed["merged"], closed["merge_commit_sha"], closed["merged_by"]["login"]) == (True, done["sha"], "bob")


def test_thousands_of_changed_files_are_all_listed(bob, project, api):
    files = {f"f{number:04}.txt": "x\n" for number in range(3_001)}
    project.commit(files, "Many", branch="work", start=project.tips["work"])
    client = api(bob)
    client.post(f"{V1}/pulls", NEW, format="json")
    last = client.get(f"{V1}/pulls/1/files?per_page=100&page=31").json()
    assert [one["filename"] for one in last][-2:] == ["f3000.txt", "new.txt"]
    assert last[-1]["additions"] == 1


def test_lines_that_nobody_counted_are_not_said_to_be_none(bob, project, api):
    files = {"big.csv": "1,2\n" * 2_200_000, "small.bin": "\0\1", "small.csv": "1\n2\n"}
    project.commit(files, "Data", branch="work", start=project.tips["work"])
    client = api(bob)
    client.post(f"{V1}/pulls", NEW, format="json")
    found = {one["filename"]: one for one in client.get(f"{V1}/pulls/1/files").json()}
    counts = {name: (one["additions"], one["deletions"], one["changes"]) for name, one in found.items()}
    assert counts["big.csv"] == (None, None, None)
    assert "8 MB" in found["big.csv"]["uncounted"]
    assert (counts["small.bin"], counts["small.csv"]) == ((0, 0, 0), (2, 0, 2))
    assert found["small.bin"]["uncounted"] is found["small.csv"]["uncounted"] is None


def test_a_merge_that_cannot_be_is_refused_with_the_reason(bob, project, api):
    client = api(bob)
    client.post(f"{V1}/pulls", NEW, format="json")
    assert client.put(f"{V1}/pulls/1/merge", {"sha": "0" * 40}, format="json").status_code == 409
    assert client.put(f"{V1}/pulls/1/merge", {"merge_method": "octopus"}, format="json").status_code == 400
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n")}, "Meanwhile")
    answer = client.put(f"{V1}/pulls/1/merge", {}, format="json")
    assert answer.status_code == 409
    assert "a.txt: both sides changed the same lines" in answer.json()["error"]
    assert client.get(f"{V1}/pulls/1").json()["mergeable"] is False


def test_it_is_closed_reopened_and_renamed(bob, project, api):
    client = api(bob)
    client.post(f"{V1}/pulls", NEW, format="json")
    closed = client.patch(f"{V1}/pulls/1", {"state": "closed", "title": "Other"}, format="json").json()
    assert (closed["state"], closed["title"], closed["mergeable"]) == ("closed", "Other", None)
    assert client.patch(f"{V1}/pulls/1", {"state": "open"}, format="json").json()["state"] == "open"


def test_a_change_is_made_whole_or_not_at_all(bob, project, api):
    client = api(bob)
    client.post(f"{V1}/pulls", NEW, format="json")
    refused = client.patch(
        f"{V1}/pulls/1", {"title": "Other", "labels": ["new"], "assignees": ["nobody"]}, format="json"
    )
    assert refused.status_code == 404
    assert client.get(f"{V1}/pulls/1").json()["title"] == "Rewrite"


def test_what_a_token_may_not_do_is_refused(bob, charlie, project, api):
    api(bob).post(f"{V1}/pulls", NEW, format="json")
    for scopes in (["issues:read", "repo:write"], ["issues:write", "repo:read"]):
        assert api(bob, scopes=scopes).put(f"{V1}/pulls/1/merge", {}, format="json").status_code == 403
    for scopes in (["issues:read"], ["repo:read"]):
        assert api(bob, scopes=scopes).get(f"{V1}/pulls/1").status_code == 403
        assert api(bob, scopes=scopes).get(f"{V1}/pulls").status_code == 403
    assert api(bob, scopes=["repo:write", "issues:read"]).post(f"{V1}/pulls", NEW, format="json").status_code == 403
    assert api(charlie).get(f"{V1}/pulls/1").status_code == 404
    assert api().get(f"{V1}/pulls/1").status_code == 401
    assert PullRequest.objects.get().merged is None


@pytest.mark.parametrize(
    "value", ["x" * 10_000, "a\u0000b", "\ud800", "☃", "", None, [], {}, "-x", "refs/heads/work", "w*"]
)
def test_odd_values_are_refused(bob, project, api, value):
    client = api(bob)
    for field in ("head", "base", "title"):
        body = json.dumps({**NEW, field: value})
        answer = client.generic("POST", f"{V1}/pulls", body, content_type="application/json")
        assert 400 <= answer.status_code < 500 or (field == "title" and isinstance(value, str)), (field, value)
    assert client.get(f"{V1}/pulls/99999999999999999").status_code == 404


def test_a_change_needs_to_read_code_before_anything_is_changed(alice, project, api):
    """The answer shows commits: a token that may not see them changes nothing and then fails."""
    api(alice).post(f"{V1}/pulls", NEW, format="json")
    small = api(alice, scopes=["issues:write"])
    assert small.patch(f"{V1}/pulls/1", {"title": "Other"}, format="json").status_code == 403
    assert PullRequest.objects.get().issue.title == "Rewrite"


def test_it_takes_null_as_no_text_and_new_labels(bob, project, api):
    client = api(bob)
    assert client.post(f"{V1}/pulls", {**NEW, "body": None}, format="json").json()["body"] == ""
    changed = client.patch(f"{V1}/pulls/1", {"body": None, "labels": ["new"]}, format="json").json()
    assert (changed["body"], [label["name"] for label in changed["labels"]]) == ("", ["new"])


def test_a_list_in_another_order_begins_at_its_other_end_as_githubs_does(bob, project, api):
    client = api(bob)
    client.post(f"{V1}/pulls", NEW, format="json")
    project.commit({"c.txt": "c\n"}, "More", branch="other", start=project.tips["work"])
    client.post(f"{V1}/pulls", {**NEW, "base": "work", "head": "other"}, format="json")

    def found(query: str) -> list[int]:
        return [pull["number"] for pull in client.get(f"{V1}/pulls?{query}").json()]

    assert (found(""), found("sort=updated"), found("sort=updated&direction=desc")) == ([2, 1], [1, 2], [2, 1])
