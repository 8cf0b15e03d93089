"""Settings of a repository in the browser: four questions for each page and verb."""

from __future__ import annotations

import pytest

from hub.accounts.actor import Actor
from hub.accounts.models import User
from repos import collaborators, repositories, transfers
from repos.models import Access, Membership, Repository, Transfer
from repos.repositories import Start

pytestmark = pytest.mark.django_db
BASE = "/alice/lab/settings"
PAGES = [BASE, f"{BASE}/collaborators", f"{BASE}/branches", f"{BASE}/danger"]
VERBS = [
    f"{BASE}/collaborators/add",
    f"{BASE}/collaborators/bob/change",
    f"{BASE}/collaborators/bob/remove",
    f"{BASE}/branches/add",
    f"{BASE}/branches/1/change",
    f"{BASE}/branches/1/remove",
    f"{BASE}/rename",
    f"{BASE}/visibility",
    f"{BASE}/transfer",
    f"{BASE}/transfer/cancel",
    f"{BASE}/delete",
]


@pytest.fixture
def lab(alice, bob) -> Repository:
    """alice/lab, private: bob may write."""
    actor = Actor(user=alice, session=True)
    made = repositories.create(actor, alice.owner, "lab", start=Start(readme=True))
    collaborators.put(actor, made, bob, Access.WRITE)
    return made


@pytest.fixture
def as_alice(client, alice, lab):
    client.force_login(alice)
    return client


@pytest.mark.parametrize("url", PAGES)
def test_pages_show(as_alice, url, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        answer = as_alice.get(url)
    assert answer.status_code == 200
    assert 'aria-current="page"' in answer.content.decode()


@pytest.mark.parametrize("url", [*PAGES, *VERBS])
def test_strangers_learn_nothing(client, lab, charlie, url):
    client.force_login(charlie)
    method = client.get if url in PAGES else client.post
    hidden, absent = method(url), method(url.replace("lab", "absent"))
    assert (hidden.status_code, absent.status_code) == (404, 404)


@pytest.mark.parametrize("url", [*PAGES, *VERBS])
def test_writers_may_not(client, lab, bob, url):
    client.force_login(bob)
    method = client.get if url in PAGES else client.post
    assert method(url).status_code == 403


@pytest.mark.parametrize("url", VERBS)
def test_verbs_are_posts(as_alice, url):
    assert as_alice.get(url).status_code == 405


@pytest.mark.parametrize("url", PAGES[1:])
def test_pages_are_not_posted_to(as_alice, url):
    assert as_alice.post(url).status_code == 405


def test_the_tab_is_for_administrators(client, lab, alice, bob):
    for user, shown in ((alice, True), (bob, False)):
        client.force_login(user)
        assert (f'href="{BASE}"' in client.get("/alice/lab").content.decode()) is shown


def test_general_saves(as_alice, lab):
    form = {"description": "A lab", "topics": "nlp, vision", "default_branch": "main", "website": ""}
    assert as_alice.post(BASE, form).status_code == 302
    lab.refresh_from_db()
    assert lab.description == "A lab"
    assert sorted(topic.name for topic in lab.topics.all()) == ["nlp", "vision"]


@pytest.mark.parametrize(
    "field", [{"default_branch": "nowhere"}, {"website": "javascript:1"}, {"topics": "UPPER_case!"}]
)
def test_general_says_what_is_wrong(as_alice, lab, field):
    answer = as_alice.post(BASE, {"description": "x", "default_branch": "main"} | field)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    lab.refresh_from_db()
    assert lab.description == ""


def test_collaborators_come_and_go(as_alice, lab, charlie):
    assert as_alice.post(VERBS[0], {"username": "Charlie", "access": "read"}).status_code == 302
    assert Membership.objects.get(repository=lab, user=charlie).access == Access.READ
    assert as_alice.post(f"{BASE}/collaborators/charlie/change", {"access": "admin"}).status_code == 302
    assert Membership.objects.get(repository=lab, user=charlie).access == Access.ADMIN
    assert as_alice.post(f"{BASE}/collaborators/charlie/remove").status_code == 302
    assert not Membership.objects.filter(repository=lab, user=charlie).exists()


@pytest.mark.parametrize(
    "form",
    [
        {"username": "nobody", "access": "read"},
        {"username": "charlie", "access": "god"},
        {},
        {"username": "alice", "access": "read"},
    ],
)
def test_collaborators_says_what_is_wrong(as_alice, charlie, form):
    answer = as_alice.post(VERBS[0], form)
    assert answer.status_code == 422
    assert 'id="problem"' in answer.content.decode()


def test_the_collaborators_page_does_not_ask_per_row(as_alice, lab, django_assert_max_num_queries):
    for number in range(12):
        user = User.objects.create_user(f"user{number}", f"u{number}@example.org", "x")
        Membership.objects.create(repository=lab, user=user, access=Access.READ)
    with django_assert_max_num_queries(9):
        assert as_alice.get(PAGES[1]).status_code == 200


def test_rename_redirects_the_old_page(as_alice, lab):
    assert as_alice.post(f"{BASE}/rename", {"name": "Atelier"}).url == "/alice/Atelier"
    assert as_alice.get("/alice/lab/settings").url == "/alice/Atelier/settings"


def test_rename_says_what_is_wrong(as_alice, lab):
    answer = as_alice.post(f"{BASE}/rename", {"name": "a/../b"})
    assert answer.status_code == 422
    assert Repository.objects.get().name == "lab"


def test_visibility_is_public_or_private(as_alice, lab):
    assert as_alice.post(f"{BASE}/visibility", {"visibility": "public"}).status_code == 302
    assert Repository.objects.get().private is False
    assert as_alice.post(f"{BASE}/visibility", {"visibility": "secret"}).status_code == 422


def test_delete_wants_the_name_in_writing(as_alice, lab):
    assert as_alice.post(f"{BASE}/delete", {"confirm": "lab"}).status_code == 422
    assert Repository.objects.get().deleted is None
    assert as_alice.post(f"{BASE}/delete", {"confirm": "alice/lab"}).url == "/"
    assert as_alice.get("/alice/lab").status_code == 404


def test_a_transfer_is_offered_then_accepted(as_alice, client, lab, charlie):
    form = {"username": "charlie", "confirm": "alice/lab"}
    assert as_alice.post(f"{BASE}/transfer", form | {"confirm": ""}).status_code == 422
    assert as_alice.post(f"{BASE}/transfer", form).status_code == 302
    assert "Offered to" in as_alice.get(f"{BASE}/danger").content.decode()
    offer = Transfer.objects.get()
    assert as_alice.post(f"/transfers/{offer.pk}/accept").status_code == 404
    client.force_login(charlie)
    assert "alice/lab" in client.get("/transfers").content.decode()
    assert client.get(f"/transfers/{offer.pk}/accept").status_code == 405
    assert client.post(f"/transfers/{offer.pk}/accept").url == "/charlie/lab"


def test_an_offer_may_be_taken_back_or_declined(as_alice, client, lab, alice, charlie):
    actor = Actor(user=alice, session=True)
    transfers.offer(actor, lab, charlie)
    assert as_alice.post(f"{BASE}/transfer/cancel").status_code == 302
    assert as_alice.post(f"{BASE}/transfer/cancel").status_code == 404
    offer = transfers.offer(actor, lab, charlie)
    client.force_login(charlie)
    assert client.get(f"/transfers/{offer.pk}/decline").status_code == 405
    assert client.post(f"/transfers/{offer.pk}/decline").status_code == 302
    assert not Transfer.objects.exists()
    assert client.post(f"/transfers/{10**30}/decline").status_code == 404


def test_offers_ask_strangers_to_sign_in(client, lab):
    for answer in (client.get("/transfers"), client.post("/transfers/1/accept"), client.post("/transfers/1/decline")):
        assert answer.status_code == 302
        assert answer.url.startswith("/account/login")


def test_stars(client, lab, bob, charlie):
    client.force_login(bob)
    assert client.post("/alice/lab/star").url == "/alice/lab"
    lab.refresh_from_db()
    assert lab.stars_count == 1
    assert client.post("/alice/lab/unstar").status_code == 302
    assert client.get("/alice/lab/star").status_code == client.get("/alice/lab/unstar").status_code == 405
    client.force_login(charlie)
    assert client.post("/alice/lab/star").status_code == client.post("/alice/lab/unstar").status_code == 404
