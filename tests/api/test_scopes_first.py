"""What a token may not do is told before what the body lacks: nothing is learnt by trying bodies."""

from __future__ import annotations

import pytest

from repos.models import Access, Membership

WRITES = [
    ("post", "/api/v1/user/repos"),
    ("post", "/api/v1/user/tokens"),
    ("post", "/api/v1/repos/alice/private/branches"),
    ("post", "/api/v1/repos/alice/private/tags"),
    ("put", "/api/v1/repos/alice/private/collaborators/nobody"),
    ("put", "/api/v1/repos/alice/private/topics"),
    ("post", "/api/v1/repos/alice/private/transfer"),
    ("patch", "/api/v1/repos/alice/private"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("body", [{}, {"name": 7, "permission": "x", "topics": "no list", "private": "perhaps"}, []])
def test_a_missing_scope_comes_before_a_bad_body(api, alice, private, method, path, body):
    answer = getattr(api(alice, scopes=["repo:read", "account:read"]), method)(path, body, format="json")
    assert answer.status_code == 403
    assert "lacks the scope" in answer.json()["error"]


@pytest.mark.parametrize(("method", "path"), [row for row in WRITES if "alice" in row[1]])
def test_too_little_access_comes_before_a_bad_body(api, bob, private, method, path):
    Membership.objects.filter(user=bob).update(access=Access.READ)
    assert getattr(api(bob), method)(path, {}, format="json").status_code == 403
