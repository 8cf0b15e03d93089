"""`data:path@rev` and the addresses of data in texts become cards with size, rows and version."""

from __future__ import annotations

import json

import pytest
from django.conf import settings

from datasets.models import DatasetVersion
from datasets.tracked import indexing
from repos.issues import timeline
from tests.datasets.test_contents import pointer
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(private, writer, keep):
    made = writer(private)
    table = keep(private, b"id,name\n1,a\n2,b\n")
    inside = keep(private, b"x" * 2048)
    folder = keep(private, json.dumps([{"md5": inside, "relpath": "a/model.pt"}]).encode(), suffix=".dir")
    made.commit(
        {
            "data/rows.csv.dvc": pointer(table, "rows.csv", size=16),
            "data/images.dvc": pointer(folder, "images", size=2048),
            "data/lost.csv.dvc": pointer("0" * 32, "lost.csv", size=16),
            "small.csv": "id\n1\n",
        }
    )
    made.git("tag", "v1.0")
    private.refresh_from_db()
    indexing.refresh(private.pk)
    return made


def shown(user, repository, text: str) -> str:
    return str(timeline.preview(seen(user, repository), as_actor(user), text))


def test_it_tells_size_and_version(alice, private, project):
    DatasetVersion.objects.filter(path="data/rows.csv").update(rows=2)
    html = shown(alice, private, "Retrained on data:data/rows.csv@v1.0, and data:small.csv too.")
    assert 'href="/alice/private/blob/v1.0/data/rows.csv" class="card"' in html
    assert "2 rows · 16 bytes · v1.0 (" in html
    assert "small.csv <small>5 bytes · main (" in html


def test_what_lies_in_folders_and_what_was_never_pushed(alice, private, project):
    html = shown(alice, private, "data:data/images/a/model.pt data:data/images@main data:data/lost.csv")
    assert "data/images/a/model.pt <small>2.0 KB · main (" in html
    assert "data/lost.csv <small>not pushed · main (" in html
    assert html.count('class="card"') == 3


def test_addresses_of_its_pages_are_cards(alice, private, project):
    base = f"{settings.COVEY_URL}/alice/private"
    html = shown(alice, private, f"{base}/datasets/table/v1.0/data/rows.csv?page=2 or {base}/blob/main/data/images")
    assert html.count('class="card"') == 2
    assert 'href="/alice/private/datasets/table/v1.0/data/rows.csv?page=2"' in html


@pytest.mark.parametrize(
    "word", ["data:nothing.csv", "data:data/rows.csv@nobranch", "data:../x@main", "data:-x", "data:@main", "data:x@-y"]
)
def test_what_is_not_there_stays_plain(word, alice, private, project):
    html = shown(alice, private, f"See {word} there")
    assert 'class="card"' not in html
    assert word in html


def test_another_repository_and_strangers_learn_nothing(alice, charlie, private, public, project):
    word = f"data:data/rows.csv {settings.COVEY_URL}/alice/private/blob/main/data/rows.csv"
    assert 'class="card"' not in shown(charlie, public, word)
    assert shown(alice, public, word).count('class="card"') == 1


def test_a_page_asks_once(alice, private, project, django_assert_max_num_queries):
    text = " ".join(["data:data/rows.csv", "data:data/lost.csv", "data:small.csv"] * 3 + ["data:data/rows.csv@v1.0"])
    repository = seen(alice, private)
    with django_assert_max_num_queries(2):
        timeline.preview(repository, as_actor(alice), text)
