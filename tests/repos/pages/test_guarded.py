"""The four questions for every page of files."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.django_db
PAGES = ["", "/tree/main", "/tree/main/src", "/tree-commits/main", "/src/main/src", "/blob/main/src/model.py"]
PAGES += ["/commits", "/commits/main", "/commits/main/src", "/commit/main", "/compare", "/compare/main...main"]
PAGES += ["/branches", "/tags", "/blame/main/src/model.py", "/find/main", "/archive/main.zip"]


@pytest.mark.parametrize("page", PAGES)
def test_it_answers_its_owner_and_members(project, alice, bob, as_user, page):
    for user in (alice, bob):
        assert as_user(user).get(f"/alice/private{page}").status_code in {200, 302}
        assert as_user(user).head(f"/alice/private{page}").status_code in {200, 302}


@pytest.mark.parametrize("page", PAGES)
def test_it_refuses_other_methods(project, alice, as_user, page):
    for method in ("post", "put", "delete", "patch"):
        assert getattr(as_user(alice), method)(f"/alice/private{page}").status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_it_hides_a_private_repository(project, charlie, as_user, page):
    for user in (charlie, None):
        client = as_user(user)
        hidden, absent = client.get(f"/alice/private{page}"), client.get(f"/alice/absentx{page}")
        assert hidden.status_code == absent.status_code == 404
        assert _plain(hidden, "private") == _plain(absent, "absentx")


def _plain(answer, name: str) -> str:
    """The body without what differs by request: its id, the form token and the name asked for."""
    body = re.sub(rf"(alice(?:/|%2F)){name}", r"\1NAME", answer.content.decode())
    body = re.sub(r"request <code>[0-9a-f-]+</code>", "", body)
    return re.sub(r'(X-CSRFToken": "|csrfmiddlewaretoken" value=")[A-Za-z0-9]+', "", body)


def test_a_public_repository_is_read_by_anyone(public, writer, as_user):
    writer(public).commit({"a": "b"})
    assert as_user(None).get("/alice/public").status_code == 200
    assert as_user(None).get("/alice/public/blob/main/a").status_code == 200
