"""GitHub's paths and verbs of issues, comments, labels and milestones."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from repos.issues.models import Entry, Issue, Label

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private"
ODD = ["x" * 10_000, "a\u0000b", "\ud800", "☃", "", None, [], {}, 1e300]


def test_an_issue_lives(bob, alice, private, api):
    client = api(bob)
    assert client.post(f"{V1}/labels", {"name": "bug", "color": "d73a4a"}, format="json").status_code == 201
    assert client.post(f"{V1}/milestones", {"title": "Soon", "due_on": "2026-12-24"}, format="json").status_code == 201
    body = {"title": "Crash", "body": "It *breaks*", "labels": ["BUG"], "assignees": ["alice"], "milestone": 1}
    made = client.post(f"{V1}/issues", body, format="json")
    assert made.status_code == 201
    issue = made.json()
    assert (issue["number"], issue["state"], issue["user"]["login"]) == (1, "open", "bob")
    assert [label["name"] for label in issue["labels"]] == ["bug"]
    assert [person["login"] for person in issue["assignees"]] == ["alice"]
    assert issue["milestone"]["due_on"] == "2026-12-24"
    as_github = client.patch(f"{V1}/milestones/1", {"due_on": "2026-12-25T08:00:00Z"}, format="json")
    assert as_github.json()["due_on"] == "2026-12-25"
    said = client.post(f"{V1}/issues/1/comments", {"body": "Yes"}, format="json").json()
    changed = client.patch(f"{V1}/issues/comments/{said['id']}", {"body": "No"}, format="json")
    assert changed.json()["body"] == "No"
    assert [one["body"] for one in client.get(f"{V1}/issues/1/comments").json()] == ["No"]
    done = client.patch(f"{V1}/issues/1", {"state": "closed", "title": "Crashed", "labels": []}, format="json").json()
    assert (done["state"], done["title"], done["labels"], done["comments"]) == ("closed", "Crashed", [], 1)
    assert client.get(f"{V1}/issues").json() == []
    assert [one["number"] for one in client.get(f"{V1}/issues?state=all&creator=bob").json()] == [1]
    assert client.get(f"{V1}/milestones").json()[0]["closed_issues"] == 1
    assert client.delete(f"{V1}/issues/comments/{said['id']}").status_code == 204
    assert client.get(f"{V1}/issues/comments/{said['id']}").status_code == 404


def test_clients_of_github_are_understood(bob, private, api):
    """PyGithub: types of GitHub's own in Accept, labels as a list without an object."""
    client, github = api(bob), {"headers": {"Accept": "application/vnd.github.symmetra-preview+json"}}
    made = client.post(f"{V1}/labels", {"name": "a"}, format="json", **github)
    assert (made.status_code, made["content-type"]) == (201, "application/json")
    client.post(f"{V1}/issues", {"title": "x"}, format="json", **github)
    assert [one["name"] for one in client.post(f"{V1}/issues/1/labels", ["a", "b"], format="json").json()] == ["a", "b"]
    assert [one["name"] for one in client.put(f"{V1}/issues/1/labels", ["b"], format="json").json()] == ["b"]
    assert client.post(f"{V1}/issues/1/assignees", ["bob"], format="json").status_code == 400


def test_labels_assignees_and_lock_of_an_issue(bob, private, api):
    client = api(bob)
    for name in ("a", "b"):
        client.post(f"{V1}/labels", {"name": name}, format="json")
    client.post(f"{V1}/issues", {"title": "x"}, format="json")
    assert len(client.post(f"{V1}/issues/1/labels", {"labels": ["a", "b"]}, format="json").json()) == 2
    assert [one["name"] for one in client.delete(f"{V1}/issues/1/labels/a").json()] == ["b"]
    assert client.delete(f"{V1}/issues/1/labels/a").status_code == 404
    assert client.put(f"{V1}/issues/1/labels", {"labels": []}, format="json").json() == []
    people = client.post(f"{V1}/issues/1/assignees", {"assignees": ["bob"]}, format="json").json()["assignees"]
    assert [person["login"] for person in people] == ["bob"]
    assert client.delete(f"{V1}/issues/1/assignees", {"assignees": ["bob"]}, format="json").json()["assignees"] == []
    assert client.put(f"{V1}/issues/1/lock").status_code == 204
    assert Issue.objects.get().locked
    assert (
        client.patch(f"{V1}/labels/a", {"new_name": "c", "color": "#ABCDEF"}, format="json").json()["color"] == "abcdef"
    )
    assert client.delete(f"{V1}/labels/c").status_code == 204
    client.post(f"{V1}/labels", {"name": "kind/bug"}, format="json")
    client.post(f"{V1}/issues/1/labels", {"labels": ["kind/bug"]}, format="json")
    assert client.delete(f"{V1}/issues/1/labels/kind%2Fbug").json() == []
    assert client.delete(f"{V1}/labels/kind%2Fbug").status_code == 204
    assert client.patch(f"{V1}/milestones/1", {"title": "x"}, format="json").status_code == 404


def test_a_change_of_which_one_part_fails_changes_nothing(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/issues", {"title": "x"}, format="json")
    answer = client.patch(f"{V1}/issues/1", {"title": "y", "labels": ["new"], "assignees": ["nobody"]}, format="json")
    assert answer.status_code == 404
    assert Issue.objects.get().title == "x"
    assert not Label.objects.exists()
    assert not Entry.objects.exists()


def test_what_a_token_may_not_do_is_refused(alice, bob, charlie, private, public, api):
    api(bob).post(f"{V1}/issues", {"title": "x"}, format="json")
    for client in (api(bob, scopes=["issues:read", "repo:write"]), api(bob, scopes=["repo:write"])):
        assert client.post(f"{V1}/issues", {"title": "y"}, format="json").status_code == 403
        assert client.patch(f"{V1}/issues/1", {"title": "y"}, format="json").status_code == 403
        assert client.post(f"{V1}/issues/1/comments", {"body": "y"}, format="json").status_code == 403
    assert api(bob, scopes=["repo:write"]).get(f"{V1}/issues").status_code == 403
    assert api(charlie).get(f"{V1}/issues/1").status_code == 404
    assert api().get(f"{V1}/issues/1").status_code == 401
    elsewhere = V1.replace("private", "public")
    assert api(charlie).post(f"{elsewhere}/issues", {"title": "y"}, format="json").status_code == 201
    assert (
        api(charlie).post(f"{elsewhere}/issues", {"title": "y", "assignees": ["alice"]}, format="json").status_code
        == 403
    )
    assert api(charlie).put(f"{elsewhere}/issues/1/lock").status_code == 403
    assert api().post(f"{elsewhere}/issues", {"title": "y"}, format="json").status_code == 401


def test_odd_values_are_refused_or_kept_and_never_break(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/issues", {"title": "x"}, format="json")
    for value in ODD:
        for method, path, field in (
            ("post", "/issues", "title"),
            ("post", "/issues", "body"),
            ("post", "/issues", "labels"),
            ("post", "/issues/1/comments", "body"),
            ("patch", "/issues/1", "milestone"),
            ("post", "/labels", "name"),
            ("post", "/milestones", "due_on"),
            ("put", "/issues/1/labels", "labels"),
        ):
            body = json.dumps({"title": "t", field: value})
            answer = client.generic(method.upper(), V1 + path, body, content_type="application/json")
            assert answer.status_code < 500, (path, field, value)
    for query in (
        "state=x",
        "sort=x",
        "page=x",
        "labels=" + "x" * 3000,
        "creator=%00",
        "milestone=%00",
        "assignee=none",
    ):
        assert client.get(f"{V1}/issues?{query}").status_code in {200, 400, 422}
    for path in (
        "/issues/99999999999999999999",
        "/issues/comments/99999999999999999999",
        "/labels/%00",
        "/milestones/0",
    ):
        assert client.get(V1 + path).status_code in {404, 422}


def test_a_milestone_may_begin_closed(bob, private, api):
    client = api(bob)
    made = client.post(f"{V1}/milestones", {"title": "Past", "state": "closed"}, format="json")
    assert (made.status_code, made.json()["state"]) == (201, "closed")
    assert client.get(f"{V1}/milestones").json() == []
    assert client.post(f"{V1}/milestones", {"title": "Odd", "state": "gone"}, format="json").status_code == 400


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u2800\ufe0f", "bug\u200b", "\u202egub", "a\x07b", "\u200d"])
def test_names_that_nobody_can_see_are_refused(bob, private, api, name):
    client = api(bob)
    for path, field in (("labels", "name"), ("milestones", "title")):
        answer = client.post(f"{V1}/{path}", {field: name}, format="json")
        assert answer.status_code in {400, 422}, answer.json()
    if name.strip("\u200b\u200d\u3164\u2800\ufe0f") == "":
        assert client.post(f"{V1}/issues", {"title": name}, format="json").status_code in {400, 422}


@pytest.mark.parametrize("name", ["بد‌داده", "👩‍🔬", "データ", "naïve", "❤️"])
def test_names_of_every_script_are_taken(bob, private, api, name):
    assert api(bob).post(f"{V1}/labels", {"name": name}, format="json").json()["name"] == name
    assert api(bob).get(f"{V1}/labels/{name}").status_code == 200


def test_a_list_comes_in_pages(bob, private, api):
    client = api(bob)
    for number in range(3):
        client.post(f"{V1}/issues", {"title": f"Issue {number}"}, format="json")
    page = client.get(f"{V1}/issues?limit=2")
    assert [one["number"] for one in page.json()] == [3, 2]
    assert 'rel="next"' in page["Link"]
    by_github = client.get(f"{V1}/issues?per_page=2&page=2")
    assert [one["number"] for one in by_github.json()] == [1]
    assert by_github["Link"].endswith('/issues?page=1&limit=2>; rel="prev"')


def test_a_list_takes_the_search_of_the_page(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/labels", {"name": "bad data", "color": "d73a4a"}, format="json")
    client.post(f"{V1}/issues", {"title": "Rows twice", "labels": ["bad data"]}, format="json")
    client.post(f"{V1}/issues", {"title": "Other"}, format="json")

    def found(query: str) -> list[str]:
        return [issue["title"] for issue in client.get(f"{V1}/issues", {"q": query}).json()]

    assert found('is:open author:@me label:"bad data" no:assignee') == ["Rows twice"]
    assert found("sort:created-asc") == ["Rows twice", "Other"]
    assert found("is:closed") == found("is:pr") == []
    assert client.get(f"{V1}/pulls", {"q": "is:open"}).json() == []
    for bad in ("is:odd", "colour:red", 'label:"never closed', "x" * 1_001):
        refused = client.get(f"{V1}/issues", {"q": bad})
        assert refused.status_code == 422
        assert refused.json()["error"]
    assert client.get(f"{V1}/issues", {"q": "is:open", "state": "all"}).status_code == 400


def test_no_text_may_be_sent_as_null(bob, private, api):
    client = api(bob)
    assert client.post(f"{V1}/issues", {"title": "x", "body": None}, format="json").json()["body"] == ""
    client.patch(f"{V1}/issues/1", {"body": "Something"}, format="json")
    assert client.patch(f"{V1}/issues/1", {"body": None}, format="json").json()["body"] == ""
    assert client.post(f"{V1}/issues/1/comments", {"body": None}, format="json").status_code == 400


def test_labels_that_do_not_exist_are_made(bob, private, api):
    client = api(bob)
    client.post(f"{V1}/labels", {"name": "Bug", "color": "d73a4a"}, format="json")
    made = client.post(f"{V1}/issues", {"title": "x", "labels": ["bug", "New one", "new  ONE"]}, format="json").json()
    assert {(label["name"], label["color"]) for label in made["labels"]} == {("Bug", "d73a4a"), ("New one", "ededed")}
    client.post(f"{V1}/issues/1/labels", {"labels": ["added"]}, format="json")
    client.patch(f"{V1}/issues/1", {"labels": ["patched", "added"]}, format="json")
    client.put(f"{V1}/issues/1/labels", {"labels": ["put"]}, format="json")
    names = {label["name"] for label in client.get(f"{V1}/labels").json()}
    assert names == {"Bug", "New one", "added", "patched", "put"}
    assert client.post(f"{V1}/issues", {"title": "x", "labels": ['say "x"']}, format="json").status_code == 422
    assert client.post(f"{V1}/issues", {"title": "", "labels": ["lost"]}, format="json").status_code == 400
    assert client.post(f"{V1}/issues", {"title": "\u3164", "labels": ["lost"]}, format="json").status_code == 422
    assert client.get(f"{V1}/labels/lost").status_code == 404


def test_readers_make_no_labels(charlie, public, api):
    elsewhere = V1.replace("private", "public")
    assert api(charlie).post(f"{elsewhere}/issues", {"title": "x", "labels": ["new"]}, format="json").status_code == 403
    assert not Label.objects.exists()


def test_a_list_reads_the_filters_of_github(alice, bob, private, api):
    client = api(bob)
    for title in ("Soon", "2030"):
        client.post(f"{V1}/milestones", {"title": title}, format="json")
    issues = {
        "first": {"milestone": 1, "assignees": ["alice"], "body": "Ask @Bob, please"},
        "second": {"milestone": 2, "body": "a@bob.example, @bobby, `x`/@bob"},
        "third": {"assignees": ["bob"]},
    }
    for title, fields in issues.items():
        client.post(f"{V1}/issues", {"title": title, **fields}, format="json")
    client.post(f"{V1}/issues/3/comments", {"body": "(@bob)"}, format="json")
    day = timezone.now() - timedelta(days=3)
    Issue.objects.filter(number=1).update(updated=day)

    def found(**query: str) -> list[str]:
        answer = client.get(f"{V1}/issues", {"direction": "asc", **query})
        assert answer.status_code == 200, answer.json()
        return [issue["title"] for issue in answer.json()]

    assert (found(milestone="1"), found(milestone="soon"), found(milestone="2")) == (["first"], ["first"], ["second"])
    assert (found(milestone="*"), found(milestone="none")) == (["first", "second"], ["third"])
    assert (found(assignee="*"), found(assignee="none")) == (["first", "third"], ["second"])
    assert (found(assignee="bob"), found(creator="alice"), found(creator="BOB")) == (["third"], [], [*issues])
    assert (found(mentioned="bob"), found(mentioned="@me"), found(mentioned="alice")) == (["first", "third"],) * 2 + (
        [],
    )
    assert found(since=(day + timedelta(days=1)).isoformat()) == ["second", "third"]
    assert found(since=day.isoformat().replace("+00:00", "Z")) == found(since="2020-01-01") == [*issues]
    assert found(sort="comments", direction="desc")[0] == found(sort="popularity", direction="desc")[0] == "third"


@pytest.mark.parametrize(
    "query",
    [
        {"state": "merged"},
        {"sort": "long-running"},
        {"direction": "up"},
        {"milestone": "99"},
        {"milestone": "9" * 30},
        {"milestone": "no such"},
        {"creator": "nobody-here"},
        {"assignee": "nobody-here"},
        {"mentioned": "nobody-here"},
        {"since": "yesterday"},
        {"since": "2026-13-01"},
        {"since": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_a_filter_that_says_nothing_is_refused_in_words(bob, private, api, query):
    (name,) = query
    for kind in ("issues", "pulls"):
        refused = api(bob).get(f"{V1}/{kind}", query)
        assert refused.status_code == 422
        assert name in refused.json()["error"]
        assert refused.json()["details"]
