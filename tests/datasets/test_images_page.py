"""A folder as a grid of images: in git and inside of DVC, pages, what was not pushed, who may."""

from __future__ import annotations

import pytest

from datasets import results
from datasets.dvc import manifests
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.datasets.test_thumbnails import image

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/datasets/images/main"


@pytest.fixture
def project(private, writer, keep):
    results.forget(private.pk)
    made = writer(private)
    one = keep(private, image())
    inside = [(f"cats/{n:03}.png", one) for n in range(130)] + [("cats/lost.png", md5(b"?")), ("list.txt", one)]
    folder = keep(private, manifests.dumps(inside), suffix=".dir")
    made.commit(
        {
            "photos.dvc": pointer(folder, "photos"),
            "docs/a.png": image(),
            "docs/b.txt": "b",
            "docs/deep/c.png": image(),
            "docs/<i>.png": image(),
        }
    )
    return made


def test_a_folder_of_git(project, as_user, bob):
    answer = as_user(bob).get(f"{ADDRESS}/docs?format=json").json()
    assert [(e["name"], e["kind"], bool(e["thumbnail_url"])) for e in answer["entries"]] == [
        ("deep", "dir", False),
        ("<i>.png", "file", True),
        ("a.png", "file", True),
        ("b.txt", "file", False),
    ]
    picture = answer["entries"][2]["thumbnail_url"]
    assert as_user(bob).get(picture)["Content-Type"] == "image/webp"
    assert answer["entries"][3]["size"] == 1


def test_a_folder_inside_of_dvc_comes_in_pages(project, as_user, bob, django_assert_max_num_queries):
    client = as_user(bob)
    names: list[str] = []
    for number in (1, 2, 3):
        with django_assert_max_num_queries(12):
            answer = client.get(f"{ADDRESS}/photos/cats?format=json&page={number}").json()
        names += [entry["name"] for entry in answer["entries"]]
    assert (answer["total"], answer["pages"], answer["per_page"]) == (131, 3, 60)
    assert names == [f"{n:03}.png" for n in range(130)] + ["lost.png"]
    assert client.get(f"{ADDRESS}/photos/cats?page=4").status_code == 404
    assert client.get(answer["entries"][0]["thumbnail_url"])["Content-Type"] == "image/webp"
    assert [e["name"] for e in client.get(f"{ADDRESS}/photos?format=json").json()["entries"]] == ["cats", "list.txt"]


def test_the_page_shows_pictures_lazily_and_what_was_not_pushed(project, as_user, bob):
    page = text(as_user(bob).get(f"{ADDRESS}/photos/cats?page=3"))
    assert page.count('loading="lazy"') == 10
    assert "1 of these files was never pushed" in page
    assert f"/datasets/thumbnail/{project.tips['main']}/photos/cats/129.png" in page
    assert "&lt;i&gt;.png" in text(as_user(bob).get(f"{ADDRESS}/docs"))


def test_pages_of_files_lead_here(project, as_user, bob):
    client = as_user(bob)
    for path in ("docs", "photos/cats"):
        assert f'href="{ADDRESS}/{path}"' in text(client.get(f"/alice/private/tree/main/{path}"))
    assert f'href="{ADDRESS}/photos"' in text(client.get("/alice/private/data"))


def test_who_may_and_what_is_not_there(project, as_user, bob, charlie):
    for user in (charlie, None):
        assert as_user(user).get(f"{ADDRESS}/docs").status_code == 404
    client = as_user(bob)
    assert client.post(f"{ADDRESS}/docs").status_code == 405
    for path in ("none", "docs/a.png", "photos/none", "photos/list.txt"):
        assert client.get(f"{ADDRESS}/{path}").status_code == 404
