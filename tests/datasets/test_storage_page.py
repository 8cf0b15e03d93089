"""The Storage pages and their API: administrators only, counted by jobs, confirmed before anything goes."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from datasets import objects
from datasets.dvc import keys, manifests
from datasets.models import Blob, StoredObject
from datasets.s3.addresses import OWN
from datasets.storage import care, garbage, quotas, usage
from datasets.tracked import commits
from hub.jobs import jobs
from hub.jobs.models import Job
from repos.models import Access, Membership, Repository
from tests.datasets.test_contents import pointer
from tests.datasets.test_garbage import age, md5

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
PAGE = "/alice/private/settings/storage"
API = "/api/v1/repos/alice/private/storage"
GETS = ["", "/garbage", "/dataset?path=d"]
POSTS = ["/measure", "/garbage/look", "/garbage/collect", "/stop/usage", "/limit"]


def work() -> None:
    for job_id in jobs.due():
        jobs.run(job_id)


@pytest.fixture
def project(private, public, writer, keep):
    """Two versions of a folder that share a file, one file beside it, one object of no commit, one of another's."""
    made = writer(private)
    one, two, three = (keep(private, name * 100) for name in (b"1", b"2", b"3"))
    first = keep(private, manifests.dumps([("a", one), ("b", two)]), suffix=".dir")
    second = keep(private, manifests.dumps([("a", one), ("b", three)]), suffix=".dir")
    made.commit({"d.dvc": pointer(first, "d")})
    made.commit({"d.dvc": pointer(second, "d"), "f.dvc": pointer(one, "f")})
    keep(private, b"unused")
    keep(public, b"1" * 100)
    commits.index(private)
    return made


def test_it_measures_by_dataset_and_version(project, as_user, alice, django_assert_max_num_queries):
    client = as_user(alice)
    assert "Not measured yet" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}/measure").status_code == 302
    assert "Waiting for a worker" in client.get(PAGE).content.decode()
    work()
    with django_assert_max_num_queries(12):
        text = client.get(PAGE).content.decode()
    assert f"{PAGE}/dataset?path=d" in text
    assert "alice/public" in text
    assert "Waiting" not in text
    found = client.get(f"{API}/usage").json()
    size = sum(row.blob.size for row in StoredObject.objects.filter(repository=project.repository))
    assert found["result"]["buckets"]["dvc"] == [size, 6]
    assert found["result"]["unused"] == [6, 1]
    manifest = Blob.objects.filter(names__key__endswith=".dir").first().size
    by_path = {row["path"]: row for row in found["datasets"]}
    assert (by_path["d"]["versions"], by_path["d"]["size"], by_path["d"]["own"]) == (
        2,
        300 + 2 * manifest,
        200 + 2 * manifest,
    )
    assert (by_path["f"]["size"], by_path["f"]["own"]) == (100, 0)
    versions = client.get(f"{API}/usage?path=d").json()["versions"]
    assert [(row["size"], row["own"], row["here"]) for row in versions] == [(200 + manifest, 100 + manifest, 3)] * 2
    assert found["shared"] == [{"repository": "alice/public", "objects": 1, "bytes": 100}]
    assert "100 B" in client.get(f"{PAGE}/dataset?path=f").content.decode()


def test_it_counts_what_the_own_bucket_holds(project, as_user, alice, folder, streamed):
    stored = asyncio.run(folder.put(streamed(b"w" * 4321)))
    objects.publish(project.repository.pk, OWN, "models/model.bin", stored)
    client = as_user(alice)
    client.post(f"{PAGE}/measure")
    work()
    row = re.search(r"Bucket private.*?</tr>", client.get(PAGE).content.decode(), re.DOTALL)
    assert row
    assert "4.2 KB" in row[0]


def test_it_tells_nothing_of_repositories_that_the_reader_may_not_see(
    project, as_user, alice, bob, charlie, keep, actor_of
):
    hidden = Repository.objects.create(owner=charlie.owner, name="secret", private=True)
    keep(hidden, b"2" * 100)
    Membership.objects.filter(user=bob).update(access=Access.ADMIN)
    care.ask(usage.MEASURE, project.repository, actor_of(alice))
    work()
    assert "charlie" not in as_user(bob).get(PAGE).content.decode()
    assert [row["repository"] for row in as_user(bob).get(f"{API}/usage").json()["shared"]] == ["alice/public"]
    Membership.objects.create(user=bob, repository=hidden, access=Access.READ)
    assert "charlie/secret" in as_user(bob).get(PAGE).content.decode()


def test_garbage_is_shown_confirmed_and_removed(project, as_user, alice, django_assert_max_num_queries):
    client = as_user(alice)
    age()
    assert "Look first" in client.get(f"{PAGE}/garbage").content.decode()
    client.post(f"{PAGE}/garbage/look")
    with django_assert_max_num_queries(5):  # asked each second
        waiting = client.get(f"{PAGE}/garbage", headers={"HX-Request": "true"})
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    work()
    assert client.get(f"{PAGE}/garbage", headers={"HX-Request": "true"})["HX-Redirect"] == f"{PAGE}/garbage"
    with django_assert_max_num_queries(12):
        text = client.get(f"{PAGE}/garbage").content.decode()
    assert keys.key_of(md5(b"unused")) in text
    assert "Remove 1 object" in text
    listed = client.get(f"{API}/garbage").json()
    assert [row["size"] for row in listed["objects"]] == [6]
    assert StoredObject.objects.filter(repository=project.repository).count() == 6
    assert client.post(f"{PAGE}/garbage/collect", {"list": "0" * 64}).status_code == 409
    assert client.post(f"{PAGE}/garbage/collect", {"list": listed["result"]["list"]}).status_code == 302
    work()
    text = client.get(f"{PAGE}/garbage").content.decode()
    assert "1 object (6 B) went" in text
    assert "Remove 1 object" not in text
    assert StoredObject.objects.filter(repository=project.repository).count() == 5


def test_the_api_looks_and_collects(project, client, token_of, alice):
    age()
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    asked = client.post(f"{API}/garbage/look", headers=headers)
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert client.get(f"{API}/garbage", headers=headers).status_code == 202
    work()
    found = client.get(f"{API}/garbage?limit=1", headers=headers).json()
    assert (found["state"], found["result"]["objects"], len(found["objects"])) == ("done", 1, 1)
    body = json.dumps({"list": found["result"]["list"]})
    sent = {"content_type": "application/json", "headers": headers}
    assert client.post(f"{API}/garbage/collect", body, **sent).status_code == 202
    work()
    assert client.get(f"{API}/garbage", headers=headers).json()["collection"]["result"]["objects"] == 1
    assert client.post(f"{API}/garbage/collect", "{}", **sent).status_code == 400
    assert client.post(f"{API}/usage/measure", headers=headers).status_code == 202
    assert client.put(f"{API}/limit", '{"bytes": 1}', **sent).status_code == 403  # a token never administers the hub


def test_work_can_be_stopped(project, as_user, alice):
    client = as_user(alice)
    client.post(f"{PAGE}/measure")
    assert client.post(f"{PAGE}/stop/usage").status_code == 302
    assert Job.objects.get().state == "cancelled"
    assert client.post(f"{PAGE}/stop/nonsense").status_code == 404


def test_a_failure_is_shown(project, as_user, alice, actor_of):
    job = care.ask(garbage.COLLECT, project.repository, actor_of(alice), list="0" * 64)
    jobs.run(job.pk)
    assert "Look for garbage again" in as_user(alice).get(f"{PAGE}/garbage").content.decode()


@pytest.mark.parametrize("path", GETS)
def test_pages_are_for_administrators(project, as_user, alice, bob, charlie, actor_of, path):
    care.ask(usage.MEASURE, project.repository, actor_of(alice))
    work()
    assert as_user(alice).get(PAGE + path).status_code == 200
    assert as_user(alice).post(PAGE + path).status_code == 405
    assert as_user(bob).get(PAGE + path).status_code == 403
    assert as_user(charlie).get(PAGE + path).status_code == 404
    assert as_user(alice).get(f"{PAGE}{path}{'&' if '?' in path else '?'}page=x").status_code == 400


@pytest.mark.parametrize("path", POSTS)
def test_verbs_are_for_administrators(project, as_user, alice, bob, charlie, path):
    assert as_user(alice).get(PAGE + path).status_code == 405
    assert as_user(bob).post(PAGE + path).status_code == 403
    assert as_user(charlie).post(PAGE + path).status_code == 404


API_ROUTES = [("get", "/usage"), ("get", "/garbage"), ("put", "/limit")]
API_ROUTES += [("post", path) for path in ("/usage/measure", "/garbage/look", "/garbage/collect")]


@pytest.mark.parametrize(("method", "path"), API_ROUTES)
def test_the_api_is_for_administrators(project, client, token_of, bob, charlie, method, path):
    for user, status in ((bob, 403), (charlie, 404)):
        asked = getattr(client, method)(API + path, headers={"Authorization": f"Bearer {token_of(user)}"})
        assert asked.status_code == status
    assert getattr(client, method)(API + path).status_code == 401
    assert client.delete(API + path, headers={"Authorization": f"Bearer {token_of(bob)}"}).status_code == 405


def test_who_runs_the_hub_sets_a_limit(project, as_user, alice, actor_of):
    client, repository = as_user(alice), project.repository
    assert client.post(f"{PAGE}/limit", {"gigabytes": "2"}).status_code == 403
    assert "Gigabytes" not in client.get(PAGE).content.decode()
    alice.is_superuser = True
    alice.save()
    for text, wanted in (("0.5", 512 * 1024**2), ("0", 0), ("", None)):
        assert client.post(f"{PAGE}/limit", {"gigabytes": text}).status_code == 302
        repository.refresh_from_db()
        assert repository.data_limit_bytes == wanted
    for text in ("x", "-1", "nan", "1e400"):
        assert client.post(f"{PAGE}/limit", {"gigabytes": text}).status_code == 422
    quotas.set_limit(actor_of(alice), repository, 1)
    assert "uploads are refused" in client.get(PAGE).content.decode()
