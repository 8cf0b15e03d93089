"""GitHub's paths and verbs of reviews."""

from __future__ import annotations

import pytest

from repos.issues.models import Entry, Thread
from repos.models import Access, Membership
from repos.reviews.models import Review

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private/pulls"
LINE = {"path": "a.txt", "line": 4, "body": "Why?"}


@pytest.fixture
def post(api, pull):
    """post(user, "/1/reviews", …) → the answer."""
    return lambda user, path, /, **fields: api(user).post(V1 + path, fields, format="json")


def test_a_review_of_lines_lives(post, api, project, alice, bob):
    comments = [{**LINE, "start_line": 3}, {**LINE, "side": "LEFT", "body": "Old"}]
    made = post(bob, "/1/reviews", event="REQUEST_CHANGES", body="Mend", comments=comments)
    assert made.status_code == 201
    review = made.json()
    assert (review["state"], review["commit_id"], review["user"]["login"]) == (
        "CHANGES_REQUESTED", project.tips["work"], "bob",
    )  # fmt: skip
    client = api(alice)
    first, second = client.get(f"{V1}/1/reviews/{review['id']}/comments").json()
    assert (first["path"], first["start_line"], first["line"], first["side"]) == ("a.txt", 3, 4, "RIGHT")
    assert (second["side"], second["original_commit_id"], second["line"]) == ("LEFT", project.tips["main"], 4)
    answer = post(alice, f"/1/comments/{first['id']}/replies", body="Since").json()
    assert (answer["in_reply_to_id"], answer["pull_request_review_id"]) == (first["id"], None)
    listed = client.get(f"{V1}/1/comments").json()
    assert [one["body"] for one in listed] == ["Why?", "Old", "Since"]
    project.commit({"a.txt": "all new\n"}, branch="work")
    assert [one["line"] for one in client.get(f"{V1}/1/comments").json()] == [None, 4, None]
    done = client.put(f"{V1}/1/reviews/{review['id']}/dismissals", {"message": "Mended"}, format="json").json()
    assert (done["state"], done["dismissed_because"]) == ("DISMISSED", "Mended")
    assert client.get(f"{V1}/1/reviews").json() == [done]


def test_a_review_waits_until_it_is_submitted(post, api, alice, bob):
    waits = post(bob, "/1/reviews", body="Later", comments=[LINE]).json()
    assert (waits["state"], waits["submitted_at"]) == ("PENDING", None)
    assert api(alice).get(f"{V1}/1/reviews").json() == []
    assert api(alice).get(f"{V1}/1/reviews/{waits['id']}").status_code == 404
    assert post(alice, f"/1/reviews/{waits['id']}/events", event="COMMENT").status_code == 404
    assert api(bob).get(f"{V1}/1/reviews/{waits['id']}/comments").json()[0]["id"] is None
    done = post(bob, f"/1/reviews/{waits['id']}/events", event="APPROVE").json()
    assert (done["state"], done["body"], done["id"]) == ("APPROVED", "Later", waits["id"])
    assert post(bob, f"/1/reviews/{waits['id']}/events", event="APPROVE").status_code == 409
    assert api(bob).delete(f"{V1}/1/reviews/{waits['id']}").status_code == 409
    assert post(bob, "/1/reviews", body="Still waits").status_code == 201
    assert post(bob, "/1/reviews", event="COMMENT", comments=[LINE]).json()["body"] == "Still waits"
    other = post(bob, "/1/reviews", comments=[LINE]).json()
    assert api(bob).delete(f"{V1}/1/reviews/{other['id']}").status_code == 204
    assert Entry.objects.filter(kind="comment").count() == 2


def test_the_same_key_makes_one_review(api, pull, bob):
    client, key = api(bob), {"Idempotency-Key": "abc"}
    answers = [
        client.post(
            f"{V1}/1/reviews", {"event": "COMMENT", "body": "x", "comments": [LINE]}, format="json", headers=key
        )
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Review.objects.count() == Thread.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [("/1/reviews", {"event": "LGTM"}, 400), ("/1/reviews", {"event": "COMMENT"}, 422),
     ("/1/reviews", {"event": "APPROVE", "commit_id": "0" * 40}, 409),
     ("/1/reviews", {"event": "COMMENT", "comments": [{"body": "x"}]}, 400),
     ("/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "line": 999}]}, 422),
     ("/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "path": "../a"}]}, 404),
     ("/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "path": "a\0"}]}, 400),
     ("/1/reviews", {"event": "COMMENT", "comments": "x"}, 400),
     ("/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "path": "none"}] * 301}, 400),
     ("/1/reviews", {"event": "COMMENT", "body": "x", "comments": [LINE, {**LINE, "start_line": 9}]}, 422),
     ("/1/comments", {"body": "x", "in_reply_to": 77}, 404), ("/1/comments", {**LINE, "commit_id": "0" * 40}, 404),
     ("/1/comments", {**LINE, "side": "RIGHT", "start_line": 1, "start_side": "LEFT"}, 400),
     ("/1/comments", {**LINE, "line": 10**30}, 400), ("/1/suggestions", {"comments": []}, 400),
     ("/1/suggestions", {"comments": [77]}, 404), ("/2/reviews", {"event": "APPROVE"}, 404)],
)  # fmt: skip
def test_bad_input_changes_nothing(post, bob, path, fields, status):
    answer = post(bob, path, **fields)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not Review.objects.exists()
    assert not Entry.objects.exists()


def test_comments_are_changed_resolved_and_removed(post, api, bob):
    comment = post(bob, "/1/comments", **LINE).json()
    client, one = api(bob), f"{V1}/comments/{comment['id']}"
    assert client.patch(one, {"body": "Other"}, format="json").json()["body"] == "Other"
    assert client.put(f"{V1}/1/comments/{comment['id']}/resolution").json()["resolved"] is True
    assert client.delete(f"{V1}/1/comments/{comment['id']}/resolution").status_code == 204
    assert client.get(one).json()["resolved"] is False
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_suggestions_become_a_commit(post, project, alice, bob):
    comment = post(bob, "/1/comments", **{**LINE, "body": "```suggestion\nbetter\n```"}).json()
    done = post(alice, "/1/suggestions", comments=[comment["id"]], message="As bob says")
    assert done.json() == {"sha": project.git("rev-parse", "work")}
    assert post(alice, "/1/suggestions", comments=[comment["id"]]).status_code == 409


def test_a_suggestion_is_applied_as_it_was_read(post, api, project, alice, bob):
    comment = post(bob, "/1/comments", **{**LINE, "body": "```suggestion\nbetter\n```"}).json()
    ids, read = [comment["id"]], comment["body_digest"]
    assert post(alice, "/1/suggestions", comments=ids, digests=[read, read]).status_code == 400
    assert post(alice, "/1/suggestions", comments=ids, digests=["x"]).status_code == 400
    now = api(bob).patch(f"{V1}/comments/{ids[0]}", {"body": "```suggestion\nworse\n```"}, format="json").json()
    assert post(alice, "/1/suggestions", comments=ids, digests=[read]).status_code == 409
    done = post(alice, "/1/suggestions", comments=ids, digests=[now["body_digest"]])
    assert done.json() == {"sha": project.git("rev-parse", "work")}


ROUTES = ["GET /1/reviews", "POST /1/reviews", "GET /1/reviews/R", "DELETE /1/reviews/R", "GET /1/reviews/R/comments",
          "POST /1/reviews/R/events", "PUT /1/reviews/R/dismissals", "GET /1/comments", "POST /1/comments",
          "GET /comments/C", "PATCH /comments/C", "DELETE /comments/C", "POST /1/comments/C/replies",
          "PUT /1/comments/C/resolution", "DELETE /1/comments/C/resolution", "POST /1/suggestions"]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
def test_routes_are_hidden_ask_for_access_and_know_their_methods(post, api, bob, charlie, private, route):
    review = post(bob, "/1/reviews", event="APPROVE", comments=[LINE]).json()["id"]
    comment = Entry.objects.get(kind="comment").pk
    method, path = route.split()
    address = V1 + "/".join({"R": str(review), "C": str(comment)}.get(part, part) for part in path.split("/"))

    def ask(user, how):
        return getattr(api(user), how)(address, {"body": "x"}, format="json").status_code

    assert ask(charlie, method.lower()) == 404
    assert ask(bob, "options" if method == "GET" else "trace") in {200, 405}
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    answer = ask(charlie, method.lower())
    if method == "GET":
        assert answer == 200
    elif "dismissals" in path or "suggestions" in path or (method in {"PATCH", "DELETE"} and path == "/comments/C"):
        assert answer == 403
    elif path not in {"/1/reviews", "/1/comments/C/replies"}:
        assert 400 <= answer < 500
    assert Entry.objects.filter(kind="comment").exclude(author=charlie).count() == 1


def test_a_page_of_comments_costs_a_fixed_number_of_queries(post, api, bob, django_assert_max_num_queries):
    for _ in range(3):
        assert post(bob, "/1/reviews", event="COMMENT", comments=[{**LINE, "line": n} for n in range(1, 11)])
    client = api(bob)
    client.get(f"{V1}/1/comments?limit=30")
    with django_assert_max_num_queries(14):
        assert len(client.get(f"{V1}/1/comments?limit=30").json()) == 30


def test_its_author_changes_what_a_review_says(post, api, alice, bob, as_user):
    waits = post(bob, "/1/reviews", body="Later", comments=[LINE]).json()
    address = f"{V1}/1/reviews/{waits['id']}"
    assert api(bob).put(address, {"body": "Sooner"}, format="json").json()["body"] == "Sooner"
    post(bob, f"/1/reviews/{waits['id']}/events", event="COMMENT")
    changed = api(bob).put(address, {"body": "Mended *now*\n- [ ] look"}, format="json")
    assert (changed.status_code, changed.json()["body"]) == (200, "Mended *now*\n- [ ] look")
    entry = Entry.objects.get(kind="reviewed")
    assert [row.body for row in entry.revisions.all()] == ["Sooner"]
    assert api(alice).put(address, {"body": "Mine"}, format="json").status_code == 403
    assert api(bob).put(address, {"body": ""}, format="json").status_code in {400, 422}
    page = as_user(bob).get("/alice/private/pull/1").content.decode()
    assert f"/comments/{entry.pk}/edit" in page
    assert "Mended <em>now</em>" in page
    assert "edited" in page
    assert f"/comments/{entry.pk}/edit" not in as_user(alice).get("/alice/private/pull/1").content.decode()
    assert "Sooner" in as_user(alice).get(f"/alice/private/issues/comments/{entry.pk}/history").content.decode()


def test_it_is_changed_on_its_page_too(post, alice, bob, as_user):
    post(bob, "/1/reviews", event="APPROVE", body="Fine")
    entry = Entry.objects.get(kind="reviewed")
    address = f"/alice/private/issues/comments/{entry.pk}/edit"
    assert "Fine" in as_user(bob).get(address).content.decode()
    assert as_user(alice).post(address, {"body": "Not fine"}).status_code == 403
    assert as_user(bob).post(address, {"body": "Very fine"}).status_code == 302
    entry.refresh_from_db()
    assert (entry.kind, entry.body, entry.detail["state"]) == ("reviewed", "Very fine", "approved")
    assert (
        as_user(bob).post(f"/alice/private/issues/comments/{entry.pk}/remove").status_code == 404
    )  # a verdict is dismissed
