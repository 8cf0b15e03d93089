"""Ten trees that name each other are ten thousand million files: pages say so at once, and no process holds them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


@pytest.fixture
def bomb(private, writer):
    made = writer(private)
    made.commit({"README.md": "# Hello"})
    made.bomb("bomb")


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("tree/bomb", 200),
        ("tree/bomb/f0/f1", 200),
        ("tree-commits/bomb", 200),
        ("archive/bomb.zip", 413),
        ("archive/bomb.tar.gz", 413),
        ("data/bomb", 413),
        ("pipelines/bomb", 413),
        ("find/bomb", 413),
        ("blob/bomb/" + "/".join(["f0"] * 10), 200),
    ],
)
def test_a_page_of_it_is_shown_or_refused(bomb, alice, as_user, page, status):
    client = as_user(alice)
    for _ in range(2):  # the second time from the cache
        answer = client.get(f"{BASE}/{page}")
        assert answer.status_code == status
    if status == 413 and not page.startswith("find"):
        assert b"more than 500,000 files" in answer.content


def test_the_api_refuses_it_too(bomb, alice, as_user):
    for path in ("content/bomb", "archive/bomb.zip", "pipelines/bomb"):
        assert as_user(alice).get(f"/api/v1/repos{BASE}/{path}").status_code in {401, 413}
