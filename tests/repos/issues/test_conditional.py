"""GETs that name what they have are answered 304; changes that name what they saw are refused when it changed."""

from __future__ import annotations

import pytest

from repos.issues import labels
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private"
GETS = ["/issues", "/issues?limit=1", "/issues/1", "/issues/1/comments", "/issues/comments/C", "/issues/1/labels"]
GETS += ["/labels", "/labels/bug", "/milestones", "/milestones/1", "/pulls"]


@pytest.fixture
def stage(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/labels", {"name": "bug"}, format="json")
    client.post(f"{V1}/milestones", {"title": "Soon"}, format="json")
    for title in ("x", "y"):
        client.post(f"{V1}/issues", {"title": title}, format="json")
    client.post(f"{V1}/issues/1/labels", {"labels": ["bug"]}, format="json")
    comment = client.post(f"{V1}/issues/1/comments", {"body": "Hello"}, format="json").json()["id"]
    return client, lambda path: V1 + path.replace("/C", f"/{comment}")


@pytest.mark.parametrize("path", GETS)
def test_what_is_known_is_not_sent_again(stage, path):
    client, at = stage
    first = client.get(at(path))
    again = client.get(at(path), headers={"If-None-Match": f'"other", W/{first["ETag"]}'})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert (again["ETag"], again.get("Link")) == (first["ETag"], first.get("Link"))
    assert client.get(at(path), headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_label_that_was_renamed_changes_its_issues(alice, private, stage):
    client, at = stage
    etag = client.get(at("/issues/1"))["ETag"]
    repository = seen(alice, private)
    bug = labels.label_of(repository, labels.listed(repository).get().pk)
    labels.change(as_actor(alice), bug, name="crash")
    assert client.get(at("/issues/1"), headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(("path", "body"), [("/issues/1", {"title": "z"}), ("/issues/comments/C", {"body": "z"})])
def test_a_change_of_what_changed_is_refused(stage, path, body):
    client, at = stage
    etag = client.get(at(path))["ETag"]
    done = client.patch(at(path), body, format="json", headers={"If-Match": etag})
    refused = client.patch(at(path), {**body, "body": "again"}, format="json", headers={"If-Match": etag})
    assert (done.status_code, refused.status_code) == (200, 412)
    assert "GET it again" in refused.json()["details"]
    assert client.get(at(path)).json()["body"] != "again"
    assert client.patch(at(path), body, format="json", headers={"If-Match": "*"}).status_code == 200


def test_what_was_refused_is_never_304(stage, charlie, api):
    _, at = stage
    assert api(charlie).get(at("/issues/1"), headers={"If-None-Match": "*"}).status_code == 404
