"""The REST resources of people and repositories: each works, refuses other methods, strangers and too little access."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import AccessToken, User
from repos import collaborators, repositories
from repos.models import Access, Membership, Repository, Star
from repos.repositories import Start

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
LAB = f"{V1}/repos/alice/lab"
ADMIN_ONLY = [
    ("patch", LAB, {"description": "x"}),
    ("delete", LAB, {}),
    ("get", f"{LAB}/collaborators", {}),
    ("get", f"{LAB}/collaborators/bob", {}),
    ("put", f"{LAB}/collaborators/bob", {"permission": "admin"}),
    ("delete", f"{LAB}/collaborators/bob", {}),
    ("put", f"{LAB}/topics", {"topics": ["x"]}),
    ("post", f"{LAB}/transfer", {"new_owner": "bob"}),
    ("delete", f"{LAB}/transfer", {}),
]
READ_ONLY = [("get", LAB, {}), ("get", f"{LAB}/stars", {}), ("get", f"{LAB}/topics", {})]
OWN_STAR = f"{V1}/user/starred/alice/lab"
STARS = [("put", OWN_STAR, {}), ("delete", OWN_STAR, {}), ("get", OWN_STAR, {})]


@pytest.fixture
def lab(alice, bob) -> Repository:
    """alice/lab, private: bob may write."""
    actor = Actor(user=alice, session=True)
    made = repositories.create(actor, alice.owner, "lab", start=Start(readme=True))
    collaborators.put(actor, made, bob, Access.WRITE)
    return made


def send(client, method, url, body):
    return getattr(client, method)(url, body, format="json") if method != "get" else client.get(url)


@pytest.mark.parametrize(("method", "url", "body"), ADMIN_ONLY + READ_ONLY + STARS)
def test_strangers_learn_nothing(api, lab, charlie, method, url, body):
    hidden = send(api(charlie), method, url, body)
    absent = send(api(charlie), method, url.replace("alice/lab", "alice/gone"), body)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    nobody, nothing = send(api(), method, url, body), send(api(), method, url.replace("alice/lab", "alice/gone"), body)
    assert nobody.status_code == nothing.status_code == 401
    assert nobody.content == nothing.content


@pytest.mark.parametrize(("method", "url", "body"), ADMIN_ONLY)
def test_writers_may_not(api, lab, bob, method, url, body):
    assert send(api(bob), method, url, body).status_code == 403


@pytest.mark.parametrize(("method", "url", "body"), [*[row for row in ADMIN_ONLY if row[0] != "get"], *STARS[:2]])
def test_a_reading_token_may_not_write(api, lab, alice, method, url, body):
    assert send(api(alice, scopes=["repo:read"]), method, url, body).status_code == 403


@pytest.mark.parametrize(
    "url", [LAB, f"{LAB}/stars", f"{LAB}/topics", f"{LAB}/transfer", f"{V1}/user", f"{V1}/user/repos"]
)
def test_wrong_methods_are_405(api, lab, alice, url):
    method = "put" if url in {LAB, f"{V1}/user/repos", f"{LAB}/transfer"} else "post"
    answer = send(api(alice), method, url, {})
    assert answer.status_code == 405
    assert set(answer.json()) == {"error", "details"}


def test_user_is_whom_the_token_belongs_to(api, alice):
    body = api(alice, scopes=["data:read"]).get(f"{V1}/user").json()
    assert (body["login"], body["username"], body["id"]) == ("alice", "alice", alice.pk)
    assert all(body[key] is not None for key in body)


def test_a_bad_token_is_401(api):
    client = api()
    client.credentials(HTTP_AUTHORIZATION="Bearer covey_nonsense")
    answer = client.get(f"{V1}/user")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_in_the_query_is_no_credential(api, alice, token_of):
    assert api().get(f"{V1}/user?token={token_of(alice)}").status_code == 401


def test_basic_works_with_the_token_on_either_side(api, alice, token_of):
    import base64

    for pair in (f"token:{token_of(alice)}", f"{token_of(alice)}:", f"alice:{token_of(alice)}"):
        client = api()
        client.credentials(HTTP_AUTHORIZATION=f"Basic {base64.b64encode(pair.encode()).decode()}")
        assert client.get(f"{V1}/user").json()["login"] == "alice"


def test_users_are_found_by_any_case(api, alice):
    assert api().get(f"{V1}/users/ALICE").json()["login"] == "alice"
    assert api().get(f"{V1}/users/nobody").status_code == 404
    assert [u["login"] for u in api().get(f"{V1}/users/search?q=lic").json()["data"]] == ["alice"]


def test_patch_changes_and_renames(api, alice, lab):
    body = {"name": "atelier", "description": "d", "private": False, "website": "https://example.org"}
    answer = api(alice).patch(LAB, body, format="json")
    assert answer.status_code == 200
    assert (answer.json()["full_name"], answer.json()["private"]) == ("alice/atelier", False)
    moved = api(alice).get(LAB)
    assert moved.status_code == 307
    assert moved["Location"] == f"{V1}/repos/alice/atelier"


def test_patch_of_nothing_changes_nothing(api, alice, lab):
    answer = api(alice).patch(LAB, "private=", content_type="application/x-www-form-urlencoded")
    assert answer.json()["private"] is True


def test_a_refused_patch_changes_nothing(api, alice, lab):
    answer = api(alice).patch(LAB, {"private": False, "name": "no/good"}, format="json")
    assert answer.status_code == 422
    assert Repository.objects.get().private is True


def test_delete(api, alice, lab):
    assert api(alice).delete(LAB).status_code == 204
    assert api(alice).get(LAB).status_code == 404


def test_collaborators(api, alice, bob, charlie, lab):
    client = api(alice)
    assert client.put(f"{LAB}/collaborators/charlie", {"permission": "read"}, format="json").status_code == 204
    rows = client.get(f"{LAB}/collaborators").json()
    assert [(row["login"], row["permission"]) for row in rows] == [("bob", "write"), ("charlie", "read")]
    assert rows[0]["permissions"] == {"admin": False, "push": True, "pull": True}
    assert client.delete(f"{LAB}/collaborators/charlie").status_code == 204
    assert client.delete(f"{LAB}/collaborators/charlie").status_code == 404
    assert client.put(f"{LAB}/collaborators/nobody").status_code == 404
    for asked, given in (("pull", "read"), ("push", "write")):  # GitHub's words
        assert client.put(f"{LAB}/collaborators/charlie", {"permission": asked}, format="json").status_code == 204
        assert client.get(f"{LAB}/collaborators/charlie").json()["permission"] == given
    assert client.put(f"{LAB}/collaborators/bob", {"permission": "god"}, format="json").status_code == 400


def test_removed_is_gone_at_the_next_request(api, alice, bob, lab):
    client = api(bob)
    assert client.get(LAB).status_code == 200
    api(alice).delete(f"{LAB}/collaborators/bob")
    assert client.get(LAB).status_code == 404


def test_topics_and_search(api, alice, charlie, lab, public):
    client = api(alice)
    assert client.put(f"{LAB}/topics", {"topics": ["NLP", "nlp", "speech"]}, format="json").json() == {
        "topics": ["nlp", "speech"]
    }
    found = client.get(f"{V1}/repos/search?topic=nlp").json()
    assert [row["name"] for row in found["data"]] == ["lab"]
    assert api(charlie).get(f"{V1}/repos/search?topic=nlp").json()["data"] == []
    assert [row["name"] for row in api().get(f"{V1}/repos/search?q=ubli&uid={alice.pk}").json()["data"]] == ["public"]
    assert api().get(f"{V1}/repos/search?uid=x").status_code == 400


def test_foreign_filters_are_ignored(api, alice, public):
    """security.md row 25: no field of a query reaches the ORM."""
    query = "owner__user__password__startswith=a&_connector=OR&q=public&order_by=password"
    assert len(api().get(f"{V1}/repos/search?{query}").json()["data"]) == 1


def test_stars(api, bob, lab):
    client = api(bob)
    assert client.get(OWN_STAR).status_code == 404
    assert client.put(OWN_STAR).status_code == client.put(OWN_STAR).status_code == 204
    assert client.get(OWN_STAR).status_code == 204
    assert [row["name"] for row in client.get(f"{V1}/user/starred").json()] == ["lab"]
    assert [row["login"] for row in client.get(f"{LAB}/stars").json()] == ["bob"]
    Membership.objects.all().delete()
    assert client.get(f"{V1}/user/starred").json() == []
    assert Star.objects.count() == 1


def test_transfer(api, alice, charlie, lab):
    made = api(alice).post(f"{LAB}/transfer", {"new_owner": "charlie"}, format="json")
    assert made.status_code == 202
    url = f"{V1}/user/transfers/{made.json()['id']}"
    assert api(alice).post(f"{url}/accept").status_code == 404
    assert api(charlie, scopes=["repo:read"]).post(f"{url}/accept").status_code == 403
    assert [row["repository"] for row in api(charlie).get(f"{V1}/user/transfers").json()] == ["alice/lab"]
    assert api(charlie).post(f"{url}/accept").json()["full_name"] == "charlie/lab"
    assert api(charlie).post(f"{url}/decline").status_code == 404


def test_tokens_are_made_listed_and_revoked(api, alice):
    client = api(alice)
    made = client.post(f"{V1}/user/tokens", {"name": "ci", "scopes": ["repo:read"], "days": 1}, format="json")
    assert made.status_code == 201
    secret = made.json()["token"]
    listed = client.get(f"{V1}/user/tokens")
    assert listed.json()[0]["name"] == "ci"
    assert secret not in listed.content.decode()
    fresh = api()
    fresh.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert fresh.get(f"{V1}/user").status_code == 200
    assert client.delete(f"{V1}/user/tokens/{made.json()['id']}").status_code == 204
    assert fresh.get(f"{V1}/user").status_code == 401


def test_a_token_mints_nothing_bigger(api, alice, lab):
    """security.md row 19 (GO-2026-6034)."""
    url = f"{V1}/user/tokens"
    small = api(alice, scopes=["repo:read", "account:write"], days=2)
    assert small.post(url, {"name": "x", "scopes": ["repo:write"]}, format="json").status_code == 403
    assert small.post(url, {"name": "x", "scopes": ["repo:read"], "days": 9}, format="json").status_code == 403
    assert small.post(url, {"name": "x", "scopes": ["repo:read"], "days": 2}, format="json").status_code == 201
    made = small.post(url, {"name": "x", "scopes": ["repo:read"]}, format="json").json()  # as long as it may
    assert timedelta() < datetime.fromisoformat(made["expires_at"]) - timezone.now() < timedelta(days=2)
    bound = api(alice, repository_id=lab.pk)
    assert bound.post(url, {"name": "x", "scopes": ["repo:read"], "days": 1}, format="json").status_code == 403
    assert api(alice, scopes=["repo:write"]).post(url, {"name": "x"}, format="json").status_code == 403
    assert api(alice, scopes=["repo:write"]).get(url).status_code == 403


def test_a_token_cannot_be_bound_to_what_is_hidden(api, charlie, lab):
    answer = api(charlie).post(f"{V1}/user/tokens", {"name": "x", "repository": "alice/lab", "days": 1}, format="json")
    assert answer.status_code == 404
    assert not AccessToken.objects.filter(repository=lab).exists()


def test_tokens_of_others_are_not_found(api, alice, charlie):
    api(alice)
    theirs = AccessToken.objects.get(user=alice)
    assert api(charlie).delete(f"{V1}/user/tokens/{theirs.pk}").status_code == 404


def test_lists_are_paged_and_do_not_ask_per_row(api, alice, bob, django_assert_max_num_queries):
    for number in range(7):
        made = Repository.objects.create(owner=alice.owner, name=f"r{number}", private=number % 2 == 0)
        Membership.objects.create(repository=made, user=bob, access=Access.WRITE)
    client = api(bob)
    with django_assert_max_num_queries(5):
        first = client.get(f"{V1}/users/alice/repos?limit=3")
    assert [row["name"] for row in first.json()] == ["r6", "r5", "r4"]
    assert all(row["permissions"] == {"admin": False, "push": True, "pull": True} for row in first.json())
    assert 'page=2&limit=3>; rel="next"' in first["Link"]
    last = client.get(f"{V1}/users/alice/repos?limit=3&page=3")
    assert 'rel="prev"' in last["Link"]
    assert 'rel="next"' not in last["Link"]
    assert client.get(f"{V1}/users/alice/repos?limit=100000").status_code == 200


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "limit=0", "page=99999999999999999999", "page=²", "limit=1e9"]
)
def test_pages_that_are_no_numbers_are_400(api, alice, query):
    answer = api(alice).get(f"{V1}/user/repos?{query}")
    assert answer.status_code == 400
    assert "whole number" in answer.json()["error"]


def test_people_are_paged_without_asking_per_row(api, alice, lab, django_assert_max_num_queries):
    for number in range(5):
        user = User.objects.create_user(f"user{number}", f"u{number}@example.org", "x")
        Membership.objects.create(repository=lab, user=user, access=Access.READ)
        Star.objects.create(repository=lab, user=user)
    client = api(alice)
    for url in (f"{LAB}/collaborators", f"{LAB}/stars", f"{V1}/users/search?q=user"):
        with django_assert_max_num_queries(5):
            assert client.get(url).status_code == 200


@pytest.mark.parametrize("url", [f"{V1}/org/acme/repos", f"{V1}/orgs/acme", f"{V1}/nonsense", f"{V1}/"])
def test_what_is_not_there_is_json_404(api, alice, url):
    for answer in (api(alice).get(url), api(alice).post(url, {}, format="json")):
        assert answer.status_code == 404
        assert answer.json()["details"]


def test_an_s3_pair_is_made(api, alice):
    client = api(alice, scopes=["account:write", "data:write"])
    made = client.post(f"{V1}/user/tokens", {"name": "rclone", "s3": True}, format="json").json()
    assert made["access_key_id"].startswith("COVEYS3")
    assert len(made["secret_access_key"]) == 40
    assert (made["scopes"], "token" in made) == (["data:write"], False)
    wider = client.post(f"{V1}/user/tokens", {"name": "x", "s3": True, "scopes": ["account:write"]}, format="json")
    assert wider.status_code == 422
