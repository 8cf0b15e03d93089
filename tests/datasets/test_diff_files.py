"""The diff of files between two revisions, as JSON: DVC outputs, folders, data files in git."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from datasets import objects, results
from datasets.comparison import comparing, filelists
from datasets.dvc import manifests
from datasets.models import DatasetChange
from datasets.tracked import indexing
from datasets.tracked.tracking import tracked
from hub.jobs import jobs
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.support.work import work
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/datasets/diff"


def two_versions(made: Writer, keep: Callable[..., str]) -> Writer:
    """Two commits on main, the first tagged v1 and the second on release/2 too."""
    cat, dog, cow, hen = (keep(made.repository, name) for name in (b"cat", b"dog", b"cow!", b"hen"))
    one = [("a/1.png", cat), ("a/2.png", dog), ("old/3.png", cow), ("old/4.png", hen)]
    two = [("a/1.png", dog), ("new/3.png", cow), ("new/4.png", hen), ("b.png", md5(b"pig"))]
    images = [keep(made.repository, manifests.dumps(files), suffix=".dir") for files in (one, two)]
    table = [keep(made.repository, text) for text in (b"id,x\n1,a\n2,b\n", b"id,x\n1,a\n2,B\n3,c\n")]
    same = pointer(cat, "same.bin")
    made.commit(
        {
            "images.dvc": pointer(images[0], "images"),
            "data/t.csv.dvc": pointer(table[0], "t.csv"),
            "same.bin.dvc": same,
            "plain.csv": "id,y\n1,2\n",
            "README.md": "one",
        }
    )
    made.git("tag", "v1")
    made.commit(
        {
            "images.dvc": pointer(images[1], "images"),
            "data/t.csv.dvc": pointer(table[1], "t.csv"),
            "plain.csv": "id,y\n1,3\n",
            "README.md": "two",
        }
    )
    made.git("branch", "release/2")
    return made


@pytest.fixture
def project(private, writer, keep):
    return two_versions(writer(private), keep)


def ask(client: Any, named: str, **query: Any) -> Any:
    """The JSON of a diff, after its job has run: first 202, then the answer."""
    found = client.get(f"{ADDRESS}/{named}", {"format": "json"} | query)
    if found.status_code != 202:
        return found
    assert found["Retry-After"] == "1"
    assert found.json()["state"] == "queued"
    work()
    return client.get(f"{ADDRESS}/{named}", {"format": "json"} | query)


def counts(answer: Any) -> tuple[int, ...]:
    return tuple(answer["summary"][f"files_{name}"] for name in ("added", "removed", "modified", "renamed"))


def test_a_folder_of_dvc(project, as_user, bob):
    response = ask(as_user(bob), "v1...main/images")
    assert response.status_code == 200
    answer = response.json()
    assert (answer["kind"], answer["state"]) == ("files", "done")
    assert counts(answer) == (1, 1, 1, 2)
    assert answer["folders_moved"] == [{"from": "images/old", "to": "images/new", "files": 2}]
    assert {(f["status"], f["path"]) for f in answer["files"]} == {
        ("modified", "images/a/1.png"),
        ("removed", "images/a/2.png"),
        ("added", "images/b.png"),
    }
    assert next(f for f in answer["files"] if f["path"] == "images/a/1.png")["size"] == 3
    assert answer["summary"]["bytes_added"] is None  # nobody knows the size of what was never pushed


def test_the_whole_repository_with_data_files_of_git(project, as_user, bob):
    answer = ask(as_user(bob), "v1...main").json()
    paths = {f["path"] for f in answer["files"]}
    assert {"data/t.csv", "plain.csv", "images/b.png"} <= paths
    assert not {"README.md", "same.bin", "images.dvc"} & paths
    assert counts(answer) == (1, 1, 3, 2)


def test_a_folder_in_an_output_and_one_that_leads_to_outputs(project, as_user, bob):
    assert counts(ask(as_user(bob), "v1...main/images/a").json()) == (0, 1, 1, 0)
    answer = ask(as_user(bob), "v1...main/data").json()
    assert counts(answer) == (0, 0, 1, 0)
    assert answer["summary"] | {"bytes_added": 17, "bytes_removed": 13} == answer["summary"]


def test_either_order_of_the_revisions(project, as_user, bob):
    assert counts(ask(as_user(bob), "main...v1/images").json()) == (1, 1, 1, 2)
    assert counts(ask(as_user(bob), "v1...v1/images").json()) == (0, 0, 0, 0)


def test_large_manifests_are_kept_as_parquet_and_say_the_same(project, as_user, bob, monkeypatch):
    monkeypatch.setattr(filelists, "LARGE_MANIFEST_BYTES", 10)
    assert counts(ask(as_user(bob), "v1...main/images").json()) == (1, 1, 1, 2)
    assert counts(ask(as_user(bob), "v1...main/images/a").json()) == (0, 1, 1, 0)


def test_large_manifests_are_kept_as_parquet_after_a_push(project, private, monkeypatch):
    monkeypatch.setattr(filelists, "LARGE_MANIFEST_BYTES", 10)
    key = tracked(private, project.git("rev-parse", "main")).outputs["images"].out.key
    place = results.manifest_place(objects.blobs(private.pk, "dvc", [key])[key])
    place.unlink(missing_ok=True)  # another test's: manifests are shared by hash
    indexing.refresh(private.pk)
    indexing.refresh(private.pk)
    (job,) = Job.objects.filter(kind=comparing.MANIFEST_JOB)
    jobs.run(job.pk)
    assert place.stat().st_size > 0


def test_a_push_is_indexed_though_too_much_work_waits(project, private, monkeypatch):
    monkeypatch.setattr(filelists, "LARGE_MANIFEST_BYTES", 10)
    monkeypatch.setattr(jobs, "QUEUED_PER_REPOSITORY", 0)
    key = tracked(private, project.git("rev-parse", "main")).outputs["images"].out.key
    results.manifest_place(objects.blobs(private.pk, "dvc", [key])[key]).unlink(missing_ok=True)
    assert indexing.refresh(private.pk)
    assert not Job.objects.exists()
    assert DatasetChange.objects.filter(repository=private).exists()


def test_the_longest_ref_wins_and_commit_ids_always_work(project, as_user, bob):
    base, head = project.git("rev-parse", "v1"), project.git("rev-parse", "main")
    by_name = ask(as_user(bob), "v1...release/2/images").json()
    by_id = ask(as_user(bob), f"{base}...{head}/images").json()
    assert by_name["head"] == {"name": "release/2", "kind": "branch", "commit": head}
    assert by_name["summary"] == by_id["summary"]
    assert by_name["url"] == by_id["url"] == f"{ADDRESS}/{base}...{head}/images"
    assert Job.objects.count() == 1  # cached by hashes, not by names


def test_filters_and_pages(project, as_user, bob, monkeypatch):
    client = as_user(bob)
    ask(client, "v1...main")
    assert {f["path"] for f in ask(client, "v1...main", q="CSV").json()["files"]} == {"data/t.csv", "plain.csv"}
    assert ask(client, "v1...main", status="added,removed").json()["total"] == 2
    assert ask(client, "v1...main", moved="1").json()["total"] == 7
    monkeypatch.setattr("datasets.comparison.diff_pages.PER_PAGE", 2)
    second = ask(client, "v1...main", page="2").json()
    assert (second["page"], second["pages"], len(second["files"])) == (2, 3, 2)
    assert client.get(f"{ADDRESS}/v1...main?format=json&status=odd").status_code == 400


def test_a_manifest_never_pushed_is_named_and_found_when_it_arrives(private, writer, keep, as_user, bob):
    body = manifests.dumps([("1", md5(b"x"))])
    made = writer(private)
    made.commit({"README.md": "x"})
    made.commit({"d.dvc": pointer(md5(body) + ".dir", "d")})
    first = ask(as_user(bob), f"{made.git('rev-parse', 'main~1')}...main")
    assert first.json()["missing"] == [{"side": "head", "path": "d", "pointer": "d.dvc"}]
    keep(private, body, suffix=".dir")
    second = ask(as_user(bob), f"{made.git('rev-parse', 'main~1')}...main").json()
    assert second["missing"] == []
    assert counts(second) == (1, 0, 0, 0)


def test_files_that_never_came_are_named_with_the_command_that_pushes_them(private, writer, keep, as_user, bob):
    made = writer(private)
    made.commit({"README.md": "x"})
    made.commit({"d.dvc": pointer(keep(private, manifests.dumps([("1", md5(b"x"))]), suffix=".dir"), "d")})
    named = f"{made.git('rev-parse', 'main~1')}...main"
    assert [file["size"] for file in ask(as_user(bob), named).json()["files"]] == [None]
    page = as_user(bob).get(f"{ADDRESS}/{named}").content.decode()
    assert ("never pushed here" in page, "git checkout main\ndvc push" in page) == (True, True)
    keep(private, b"x")
    assert "dvc push" not in as_user(bob).get(f"{ADDRESS}/{named}").content.decode()


def test_a_result_that_was_removed_is_made_again(project, as_user, bob):
    client = as_user(bob)
    before = ask(client, "v1...main").json()
    assert results.sweep(older_than_seconds=-10) > 0
    assert client.get(f"{ADDRESS}/v1...main?format=json").status_code == 202
    assert ask(client, "v1...main").json() == before


def test_results_beyond_the_bound_in_bytes_go_from_the_longest_unused(tmp_path, settings):
    settings.COVEY_HOME = tmp_path
    places = [results.place_of(number, "digest") for number in range(4)]
    for age, place in enumerate(places):
        place.parent.mkdir(parents=True)
        place.write_bytes(b"x" * 100)
        os.utime(place, (time.time() - age, time.time() - age))
    assert results.sweep(keep_bytes=250) == 2
    assert [place.exists() for place in places] == [True, True, False, False]
    assert results.sweep(keep_bytes=250) == 0


def test_the_changed_files_as_parquet(project, as_user, bob):
    client = as_user(bob)
    assert client.get(f"{ADDRESS}/v1...main?format=parquet").status_code == 404
    ask(client, "v1...main")
    response = client.get(f"{ADDRESS}/v1...main?format=parquet")
    assert b"".join(response.streaming_content).startswith(b"PAR1")
    assert "attachment" in response["Content-Disposition"]


def test_the_api_says_the_same(project, client, bob, token_of, as_user):
    ask(as_user(bob), "v1...main/images")
    headers = {"Authorization": f"Bearer {token_of(bob)}"}
    answer = client.get("/api/v1/repos/alice/private/datasets/diff/v1...main/images", headers=headers)
    assert answer.status_code == 200
    assert answer.json() == ask(as_user(bob), "v1...main/images").json()
    assert client.get("/api/v1/repos/alice/private/datasets/diff/v1...main/images").status_code == 401


# ---- who may, and what nobody may ----------------------------------------------------------------
def test_wrong_method(project, as_user, bob):
    assert as_user(bob).post(f"{ADDRESS}/v1...main").status_code == 405
    assert as_user(bob).get("/alice/private/datasets/diffs/1/cancel").status_code == 405


def test_it_hides_private_repository(project, as_user, bob, charlie):
    ask(as_user(bob), "v1...main")
    job = Job.objects.get()
    for user in (charlie, None):
        for named in ("v1...main", "v1...main/images", "no...thing"):
            assert as_user(user).get(f"{ADDRESS}/{named}?format=json").status_code == 404
        assert as_user(user).post(f"/alice/private/datasets/diffs/{job.pk}/cancel").status_code == 404


def test_a_token_for_git_alone_may_not_read_data(project, client, bob, token_of):
    headers = {"Authorization": f"Bearer {token_of(bob, scopes=['repo:read'])}"}
    assert client.get("/api/v1/repos/alice/private/datasets/diff/v1...main", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "named",
    [
        "main",
        "...",
        "v1...",
        "...main",
        "v1..main",
        "nope...main",
        "v1...nope",
        "v1...main/none",
        "--output=x...main",
        "v1...main/../x",
        "v1...main/%00",
    ],
)
def test_what_is_not_there(project, as_user, bob, named):
    assert as_user(bob).get(f"{ADDRESS}/{named}?format=json").status_code == 404


# ---- cancel ------------------------------------------------------------------------------------
def test_whoever_asked_may_cancel_and_start_again(public, writer, as_user, charlie, bob):
    made = writer(public)
    made.commit({"a.csv": "x\n1\n"})
    made.commit({"a.csv": "x\n2\n"})
    first = made.git("rev-parse", "main~1")
    client = as_user(charlie)
    answer = client.get(f"/alice/public/datasets/diff/{first}...main?format=json").json()
    assert as_user(bob).post(answer["cancel_url"]).status_code == 403
    assert as_user(None).post(answer["cancel_url"]).status_code == 403
    assert client.post(answer["cancel_url"]).json() == {"state": "cancelled"}
    cancelled = client.get(f"/alice/public/datasets/diff/{first}...main?format=json")
    assert cancelled.status_code == 409
    assert "cancelled" in cancelled.json()["error"]
    assert client.post(cancelled.json()["again_url"]).json() == {"state": "queued"}


def test_a_job_of_another_repository_is_absent(project, public, writer, as_user, alice, bob):
    ask(as_user(bob), "v1...main")
    job = Job.objects.get()
    writer(public).commit({"a": "b"})
    assert as_user(alice).post(f"/alice/public/datasets/diffs/{job.pk}/cancel").status_code == 404


def test_nothing_of_the_answer_is_kept_by_name_of_a_branch(project, as_user, bob, keep):
    client = as_user(bob)
    before = ask(client, "v1...main").json()
    project.commit({"plain.csv": "id,y\n1,2\n"})
    after = ask(client, "v1...main").json()
    assert before["head"] != after["head"]
    assert counts(after) == (1, 1, 2, 2)
    assert json.dumps(before) != json.dumps(after)
