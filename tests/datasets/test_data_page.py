"""The Data tab and the count on it."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from datasets.dvc import manifests
from datasets.tracked import indexing, presence
from hub.jobs import outbox
from repos import storage
from repos.models import Repository
from repos.signals import PUSHED
from tests.datasets.test_contents import md5, pointer

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(private, writer, keep):
    made = writer(private)
    cat = keep(private, b"cat")
    images = keep(private, manifests.dumps([("1.png", cat), ("2.png", cat), ("3.png", md5(b"dog"))]), suffix=".dir")
    made.commit({"images.dvc": pointer(images, "images"), "data.csv.dvc": pointer(keep(private, b"1,2"), "data.csv")})
    made.commit({"never pushed.bin.dvc": pointer("0" * 32, "never pushed.bin", size=2048)})
    return made


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_it_shows_outputs_sizes_and_presence(project, as_user, bob):
    response = as_user(bob).get("/alice/private/data")
    assert response.status_code == 200
    page = text(response)
    assert "3 outputs tracked by DVC" in page
    for words in ("images/", "2 of 3 files", "data.csv", "3 B", "all here", "2.0 KB", "not pushed", "dvc push"):
        assert words in page
    assert 'href="/alice/private/tree/main/images"' in page
    assert 'href="/alice/private/blob/main/data.csv.dvc"' in page


def test_a_list_that_came_alone_is_not_all_here(private, writer, keep, as_user, bob, monkeypatch):
    names = [(f"{n}.png", md5(bytes([n]))) for n in range(3)]
    images = keep(private, manifests.dumps(names), suffix=".dir")
    writer(private).commit({"images.dvc": pointer(images, "images")})
    page = text(as_user(bob).get("/alice/private/data"))
    assert ("0 of 3 files" in page, "dvc push" in page, "all here" in page) == (True, True, False)
    monkeypatch.setattr(presence, "COUNT_LIMIT", 2)
    page = text(as_user(bob).get("/alice/private/data"))
    assert ("files not counted" in page, "all here" in page) == (True, False)


def test_it_teaches_how_programs_reach_the_data(project, as_user, bob, settings):
    page = text(as_user(bob).get("/alice/private/data"))
    assert f"{settings.COVEY_URL}/alice/private.dvc" in page
    assert f"AWS_ENDPOINT_URL={settings.COVEY_URL}/alice/private.s3" in page


def test_it_shows_another_revision(project, as_user, bob):
    first = project.git("rev-parse", "main~1")
    page = text(as_user(bob).get(f"/alice/private/data/{first}"))
    assert "2 outputs tracked" in page
    assert "never pushed.bin" not in page


def test_it_needs_few_queries(project, as_user, bob, django_assert_max_num_queries):
    client = as_user(bob)
    client.get("/alice/private/data")
    with django_assert_max_num_queries(12):
        client.get("/alice/private/data")


def test_an_empty_repository_teaches(private, as_user, bob):
    storage.store().remove(private.pk)  # ids start again with every test's rolled back database
    page = text(as_user(bob).get("/alice/private/data"))
    assert "dvc remote add --default --force origin" in page
    assert "/alice/private.dvc" in page
    assert "user bob" in page


def test_a_repository_without_data_teaches(private, writer, as_user, bob):
    writer(private).commit({"README.md": "x"})
    assert "dvc add data" in text(as_user(bob).get("/alice/private/data"))


def test_a_damaged_pointer_is_named(private, writer, as_user, bob):
    writer(private).commit({"bad.dvc": "a: [", "good.dvc": pointer("1" * 32, "good")})
    page = text(as_user(bob).get("/alice/private/data"))
    assert "bad.dvc</a>: It cannot be read" in page


def test_wrong_method(project, as_user, bob):
    assert as_user(bob).post("/alice/private/data").status_code == 405


@pytest.mark.parametrize("path", ["/alice/private/data", "/alice/private/data/main"])
def test_it_hides_private_repository(project, as_user, charlie, path):
    assert as_user(charlie).get(path).status_code == 404
    assert as_user(None).get(path).status_code == 404


@pytest.mark.parametrize("rev", ["none", "--output=x", "..", "main/README.md", "%00"])
def test_unknown_revisions(project, as_user, bob, rev):
    assert as_user(bob).get(f"/alice/private/data/{rev}").status_code == 404


def test_anybody_sees_public_data(public, writer, as_user):
    writer(public).commit({"a.dvc": pointer("1" * 32, "a")})
    assert as_user(None).get("/alice/public/data").status_code == 200


def test_a_pointer_never_pushed_says_so(project, as_user, bob):
    page = text(as_user(bob).get("/alice/private/blob/main/never%20pushed.bin"))
    assert "was never pushed" in page
    assert "dvc push &#x27;never pushed.bin.dvc&#x27;" in page


def test_a_push_updates_the_count(project):
    outbox.announce(PUSHED, {"repository_id": project.repository.pk, "push_id": 1})
    for row in outbox.pending():
        outbox.deliver(row)
    assert Repository.objects.get().outputs_count == 3


def test_the_count_can_be_made_again(project, public, writer):
    writer(public).commit({"a.dvc": pointer("1" * 32, "a")})
    call_command("rebuild_datasets")
    assert dict(Repository.objects.values_list("name", "outputs_count")) == {"private": 3, "public": 1}


def test_a_deleted_repository_is_passed_over(private):
    assert indexing.refresh(private.pk + 1) is None
