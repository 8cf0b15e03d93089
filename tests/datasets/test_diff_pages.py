"""The pages of a diff: progress, files, rows, failures; names of strangers stay text."""

from __future__ import annotations

from typing import Any

import pytest

from hub.jobs.models import Job
from tests.datasets.test_data_page import text
from tests.datasets.test_diff_files import two_versions as two_of_files
from tests.datasets.test_diff_media import picture
from tests.datasets.test_diff_tables import ADDRESS
from tests.datasets.test_diff_tables import two_versions as two_of_tables
from tests.support.work import work

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(private, writer, keep):
    return two_of_files(writer(private), keep)


@pytest.fixture
def tables(private, writer, keep):
    return two_of_tables(writer(private), keep)


def shown(client: Any, named: str) -> str:
    """The page, once the work is done."""
    client.get(f"{ADDRESS}/{named}")
    work()
    return text(client.get(f"{ADDRESS}/{named}"))


def test_a_page_that_waits_shows_how_far_and_how_to_cancel(tables, as_user, bob):
    client = as_user(bob)
    page = text(client.get(f"{ADDRESS}/v1...main/people.csv"))
    assert "Waiting for a worker" in page
    assert 'hx-trigger="every 1s"' in page
    job = Job.objects.get()
    Job.objects.update(state="running", done=3, total=9)
    part = client.get(f"{ADDRESS}/v1...main/people.csv", headers={"HX-Request": "true"})
    assert "3 of 9 read" in text(part)
    assert "<html" not in text(part)
    Job.objects.update(state="queued")
    work()
    ended = client.get(f"{ADDRESS}/v1...main/people.csv", headers={"HX-Request": "true"})
    assert ended["HX-Redirect"] == f"{ADDRESS}/v1...main/people.csv"
    job.refresh_from_db()
    assert job.state == "done"


def test_rows_old_and_new(tables, as_user, bob):
    client = as_user(bob)
    page = shown(client, "v1...main/people.csv")
    assert "<del>bob</del> → <ins>BOB</ins>" in page
    assert "a guess" in page
    assert "(3 cells)" in page
    beside = text(client.get(f"{ADDRESS}/v1...main/people.csv?view=split"))
    assert '<td class="data-diff-old">bob</td><td class="data-diff-new">BOB</td>' in beside


def test_files_with_sizes_and_moved_folders(files, as_user, bob):
    page = shown(as_user(bob), "v1...main")
    for words in ("images/old → images/new", "2 files", "images/b.png", "not pushed", "7</strong> files differ"):
        assert words in page
    assert f'href="{ADDRESS}/v1...main/data/t.csv"' in page


def test_images_among_the_files_are_seen(private, writer, as_user, bob):
    made = writer(private)
    made.commit({"gone.png": picture(), "other.png": picture(), "a.txt": "1"})
    made.git("tag", "v1")
    made.commit({"gone.png": None, "came.png": picture((3, 3)), "other.png": picture((4, 4)), "a.txt": "2"})
    base, head = (made.git("rev-parse", rev).strip() for rev in ("v1", "HEAD"))
    page = shown(as_user(bob), "v1...main")
    for commit, name in ((base, "gone.png"), (head, "came.png"), (head, "other.png")):
        assert f'src="/alice/private/datasets/thumbnail/{commit}/{name}"' in page
    assert page.count("/datasets/thumbnail/") == 3


def test_a_filter_is_told_and_can_be_taken_away(tables, as_user, bob):
    page = shown(as_user(bob), "v1...main/people.csv?filter=score:ge:50&status=added")
    assert "score ≥ 50" in page
    assert 'href="?status=added" title="Without this filter"' in page
    assert "<td>eve</td>" in page
    assert ">BOB<" not in page


def test_what_cannot_be_read_and_what_was_never_pushed(tables, as_user, bob):
    client = as_user(bob)
    client.get(f"{ADDRESS}/v1...main/bad.parquet")
    work()
    response = client.get(f"{ADDRESS}/v1...main/bad.parquet")
    assert response.status_code == 422
    assert "Try again" in text(response)
    assert "dvc push" in text(client.get(f"{ADDRESS}/v1...main/lost.csv"))
    assert "+4</strong> lines added" in text(client.get(f"{ADDRESS}/v1...main/model.bin"))
    assert "same bytes" in text(client.get(f"{ADDRESS}/main...main/model.bin"))


def test_a_cancelled_comparison_goes_back_to_its_page(tables, as_user, bob):
    client = as_user(bob)
    there = f"{ADDRESS}/v1...main/people.csv"
    client.get(there)
    job = Job.objects.get()
    response = client.post(f"/alice/private/datasets/diffs/{job.pk}/cancel", {"back": there})
    assert response["Location"] == there
    assert "was cancelled" in text(client.get(there))
    elsewhere = client.post(f"/alice/private/datasets/diffs/{job.pk}/again", {"back": "https://evil.example/"})
    assert elsewhere.status_code == 200


def test_cells_of_strangers_stay_text(private, writer, as_user, bob):
    made = writer(private)
    made.commit({"x.csv": "id,<b>\n1,<i>a</i>\n"})
    made.git("tag", "v1")
    made.commit({"x.csv": "id,<b>\n1,<script>1</script>\n"})
    page = shown(as_user(bob), "v1...main/x.csv")
    assert "&lt;script&gt;1&lt;/script&gt;" in page
    assert "<i>a</i>" not in page
