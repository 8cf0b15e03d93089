"""Report a status and read it back, in the shapes GitHub's clients know."""

from __future__ import annotations

import pytest

from hub.jobs.models import Outbox
from repos.models import Access, Membership
from repos.statuses import posting, signals
from repos.statuses.models import Status

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private"


def post(client, sha, **fields):
    return client.post(f"{V1}/statuses/{sha}", {"state": "success", **fields}, format="json")


def test_it_is_reported_and_read_back(api, bob, project):
    sha = project.tips["main"]
    answer = post(api(bob), sha, context="ci/tests", description="12 passed", target_url="http://jenkins:8080/job/1/")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["context"], body["description"]) == ("success", "ci/tests", "12 passed")
    assert body["target_url"] == "http://jenkins:8080/job/1/"
    assert body["creator"]["login"] == "bob"
    assert api(bob).get(f"{V1}/commits/main/statuses").json() == [body]
    assert api(bob).get(f"{V1}/statuses/{sha}").json() == [body]
    assert Outbox.objects.get(topic=signals.STATUS_POSTED).payload["sha"] == sha


def test_the_newest_of_each_context_counts(api, bob, project):
    client, sha = api(bob), project.tips["main"]
    assert client.get(f"{V1}/commits/{sha}/status").json()["state"] == "pending"
    for context, state in (("a", "pending"), ("b", "failure"), ("a", "success")):
        assert post(client, sha, context=context, state=state).status_code == 201
    found = client.get(f"{V1}/commits/main/status").json()
    assert (found["state"], found["total_count"], found["sha"]) == ("failure", 2, sha)
    assert {row["context"]: row["state"] for row in found["statuses"]} == {"a": "success", "b": "failure"}
    post(client, sha, context="b", state="pending")
    assert client.get(f"{V1}/commits/main/status").json()["state"] == "pending"
    post(client, sha, context="b", state="success")
    assert client.get(f"{V1}/commits/main/status").json()["state"] == "success"
    assert [row["state"] for row in client.get(f"{V1}/commits/main/statuses").json()][:2] == ["success", "pending"]
    assert len(client.get(f"{V1}/commits/main/statuses?limit=2").json()) == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"state": "great"},
        {"state": None},
        {"context": "a\x07b"},
        {"context": "x" * 256},
        {"target_url": "javascript:alert(1)"},
        {"target_url": "ftp://a/b"},
        {"target_url": "https://"},
        {"target_url": "https://[x"},
        {"target_url": "https://a:99999/"},
        {"target_url": 'https://a/"onclick="x'},
        {"target_url": "https://a/ b"},
        {"target_url": "https://a/" + "x" * 2000},
        {"description": "a\0b"},
    ],
)
def test_bad_reports_are_refused(api, bob, project, bad):
    answer = post(api(bob), project.tips["main"], **bad)
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]
    assert not Status.objects.exists()


def test_long_descriptions_are_cut_and_lines_joined(api, bob, project):
    said = post(api(bob), project.tips["main"], description="a\nb " + "x" * 1000).json()["description"]
    assert said.startswith("a b x")
    assert len(said) == 500


@pytest.mark.parametrize("sha", ["main", "0" * 40, "f" * 39, "HEAD", "%00", "main/x"])
def test_only_commits_that_are_here_by_their_full_id(api, bob, project, sha):
    assert post(api(bob), sha).status_code in {404, 422}
    assert not Status.objects.exists()


def test_a_tag_is_no_commit(api, bob, project):
    project.git("tag", "-a", "v1", "-m", "v1", project.tips["main"])
    assert post(api(bob), project.git("rev-parse", "v1")).status_code == 422


def test_a_commit_takes_so_many(api, bob, project, monkeypatch):
    monkeypatch.setattr(posting, "MOST", 2)
    codes = [post(api(bob), project.tips["main"]).status_code for _ in range(3)]
    assert codes == [201, 201, 422]


def test_who_may(api, bob, charlie, project, private):
    sha = project.tips["main"]
    assert post(api(), sha).status_code == 401
    assert post(api(charlie), sha).status_code == 404
    assert post(api(bob, scopes=["repo:read", "issues:write"]), sha).status_code == 403
    assert api(bob).delete(f"{V1}/statuses/{sha}").status_code == 405
    for path in (f"statuses/{sha}", "commits/main/status", "commits/main/statuses"):
        assert api(charlie).get(f"{V1}/{path}").status_code == 404
        assert api(bob, scopes=["issues:read"]).get(f"{V1}/{path}").status_code == 403
        assert api(bob).get(f"{V1}/{path}").status_code == 200
    Membership.objects.filter(user=bob).update(access=Access.READ)
    assert post(api(bob), sha).status_code == 403
    assert api(bob).get(f"{V1}/commits/main/status").status_code == 200


def test_branches_that_end_like_the_address_are_still_read(api, bob, project):
    project.git("branch", "feature/status", "main")
    found = api(bob).get(f"{V1}/commits/feature/status").json()
    assert found["commit"]["id"] == project.tips["main"]
    assert api(bob).get(f"{V1}/commits/feature/status/status").json()["sha"] == project.tips["main"]


def test_statuses_of_another_repository_are_not_shown(api, alice, bob, project, public, writer):
    """The same commit may be in both."""
    other = writer(public)
    other.git("fetch", "-q", str(project.path), "main:main")
    post(api(bob), project.tips["main"], context="secret")
    assert api(alice).get("/api/v1/repos/alice/public/commits/main/status").json()["total_count"] == 0
