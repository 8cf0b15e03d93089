"""Home, explore, starred and profiles show what the one who looks may read, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from datasets.models import Blob, StoredObject
from hub.accounts.models import User
from repos import stars
from repos.models import Membership, Push, Repository, Topic

EVERYWHERE = ["/explore", "/alice"]


def names_on(client: Client, path: str) -> set[str]:
    listing = client.get(path).context["listing"]
    return {repository.full_name for repository in listing.repositories}


@pytest.mark.parametrize("path", EVERYWHERE)
def test_private_is_shown_to_owner_and_members_only(
    client: Client, path: str, alice: User, bob: User, charlie: User, private: Repository, public: Repository
) -> None:
    assert names_on(client, path) == {"alice/public"}
    for user, seen in [(alice, True), (bob, True), (charlie, False)]:
        client.force_login(user)
        assert ("alice/private" in names_on(client, path)) is seen
        assert ("alice/private" in client.get(path).content.decode()) is seen


def test_home_shows_own_shared_and_starred(client: Client, bob: User, private: Repository, public: Repository) -> None:
    own = Repository.objects.create(owner=bob.owner, name="mine")
    client.force_login(bob)
    page = client.get("/")
    assert set(page.context["recent"]) == {own, private}
    stars.star(public, bob)
    assert set(client.get("/").context["recent"]) == {own, private, public}
    Membership.objects.all().delete()
    assert set(client.get("/").context["recent"]) == {own, public}, "access taken away is gone at once"


def test_home_welcomes_strangers(client: Client, private: Repository) -> None:
    page = client.get("/").content.decode()
    assert "Make an account" in page
    assert "private" not in page


def test_the_first_steps_tick_themselves(client: Client, alice: User) -> None:
    client.force_login(alice)

    def done() -> list[str]:
        return [step.title for step in client.get("/").context["steps"] if step.done]

    assert done() == []
    repository = Repository.objects.create(owner=alice.owner, name="first")
    assert done() == ["Make a repository"]
    Push.objects.create(repository=repository, user=alice, state=Push.State.DONE)
    blob = Blob.objects.create(sha256="0" * 64, md5="0" * 32, size=1, key="k")
    StoredObject.objects.create(repository=repository, key="files/md5/00/0", blob=blob, etag="e")
    Repository.objects.filter(pk=repository.pk).update(runs_count=1)
    assert done() == ["Make a repository", "Push code", "Push data", "Log a run"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=pub", {"alice/public"}),
        ("q=PUBLIC", {"alice/public"}),
        ("q=alice/pub", {"alice/public"}),
        ("q=cats+dogs", {"alice/public"}),
        ("q=cats+birds", set()),
        ("q=vision", {"alice/public"}),
        ("topic=vision", {"alice/public"}),
        ("topic=audio", set()),
        ("q=%25", set()),
        ("sort=nonsense", {"alice/public"}),
        ("private=1&owner__user__password__startswith=a&_connector=OR", {"alice/public"}),
    ],
)
def test_search(client: Client, public: Repository, private: Repository, query: str, found: set[str]) -> None:
    Repository.objects.filter(pk=public.pk).update(description="Cats and dogs")
    Topic.objects.create(repository=public, name="vision")
    assert names_on(client, f"/explore?{query}") == found


@pytest.mark.parametrize("page", ["0", "-1", "x", "1001", "99999999999999999999", "²", ""])
def test_a_page_that_is_none_is_refused(client: Client, db: None, page: str) -> None:
    assert client.get(f"/explore?page={page}").status_code == 400


def test_a_nul_is_refused(client: Client, db: None) -> None:
    assert client.get("/explore?q=%00").status_code == 400
    assert client.get("/explore?topic=a%00").status_code == 400


@pytest.mark.parametrize("sort", ["updated", "stars", "name", "created"])
def test_it_pages_and_costs_the_same_for_many(
    client: Client, alice: User, sort: str, django_assert_max_num_queries: Callable
) -> None:
    made = [Repository(owner=alice.owner, name=f"r{n:03}", name_key=f"r{n:03}", private=False) for n in range(65)]
    Repository.objects.bulk_create(made)
    seen = []
    for number in (1, 2, 3):
        with django_assert_max_num_queries(4):
            page = client.get(f"/explore?sort={sort}&page={number}")
        seen += [repository.name for repository in page.context["listing"].repositories]
    assert len(seen) == len(set(seen)) == 65
    client.force_login(alice)
    with django_assert_max_num_queries(14):
        client.get("/")


def test_starred_lists_what_one_marked_and_may_still_read(client: Client, bob: User, private: Repository) -> None:
    stars.star(private, bob)
    client.force_login(bob)
    assert names_on(client, "/starred") == {"alice/private"}
    Membership.objects.all().delete()
    assert names_on(client, "/starred") == set()


def test_a_profile_is_found_in_any_case_under_its_own_spelling(client: Client, alice: User) -> None:
    assert client.get("/ALICE")["Location"] == "/alice"


def test_an_absent_and_a_deactivated_person_are_the_same(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    gone, absent = client.get("/alice"), client.get("/nobody")
    assert gone.status_code == absent.status_code == 404


def test_a_profile_shows_no_address(client: Client, alice: User) -> None:
    assert "alice@example.org" not in client.get("/alice").content.decode()


def test_what_people_write_is_escaped(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(biography="<script>alert(1)</script>", full_name='"><img src=x>')
    page = client.get("/alice").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("path", ["/", "/explore", "/alice", "/healthz"])
def test_wrong_methods(client: Client, alice: User, path: str) -> None:
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200


def test_starred_needs_signing_in(client: Client, db: None) -> None:
    assert client.get("/starred").status_code == 302
