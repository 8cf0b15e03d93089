"""Conflicts by the API: what is in conflict, place by place, and the commit that resolves it."""

from __future__ import annotations

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from repos.pulls.conflicts import files as files_in_conflict
from repos.pulls.conflicts import listing

pytestmark = pytest.mark.django_db
V1 = "/api/v1/repos/alice/private/pulls/1"
TABLE = "id,n\n1,1\n2,2\n"
KEY = {".covey/config.yml": "datasets:\n  keys:\n    t.csv: id\n"}


def order(client, *files, **fields):
    found = client.get(f"{V1}/conflicts").json()
    tips = {name: found.get(name, "0" * 40) for name in ("head_sha", "base_sha")}
    return client.post(f"{V1}/resolve", tips | {"files": list(files)} | fields, format="json")


def test_lines_are_listed_and_resolved(bob, lines, parted, api):
    client = api(bob)
    found = client.get(f"{V1}/conflicts").json()
    (file,) = found["files"]
    assert (found["state"], found["total"], file["path"], file["kind"], file["total"]) == (
        "ready",
        1,
        "a.txt",
        "text",
        1,
    )
    assert found["head_sha"] == parted.writer.tips["work"]
    (place,) = client.get(f"{V1}/conflicts/{file['id']}").json()["places"]
    assert (place["where"], place["ours"], place["theirs"]) == ("line 4", "our 3\n", "their 3\n")
    assert "value" in place["choices"]
    assert client.get(f"{V1}/resolve").status_code == 404
    chosen = {"path": "a.txt", "places": [{"place": 0, "choice": "value", "text": "mine"}]}
    done = order(client, chosen, message="By API")
    assert (done.status_code, done.json()["state"]) == (200, "done")
    assert parted.writer.git("rev-parse", "work") == done.json()["commit"]
    assert client.get(f"{V1}/resolve").json() == done.json()
    assert client.get(f"{V1}/conflicts").json()["files"] == []
    assert client.get(V1).json()["mergeable"] is True


def test_cells_are_resolved_by_a_worker(bob, parted, api):
    sides = [{"t.csv": TABLE.replace("2,2", f"2,{n}")} for n in (3, 4)]
    parted({"t.csv": TABLE} | KEY, *sides)
    client = api(bob)
    assert client.get(f"{V1}/conflicts").status_code == 202
    jobs.run(Job.objects.get(kind="pulls.conflicts").pk)
    (file,) = client.get(f"{V1}/conflicts").json()["files"]
    page = client.get(f"{V1}/conflicts/{file['id']}?limit=1&page=1").json()
    assert [(place["where"], place["type"]) for place in page["places"]] == [("id 2, n", "bigint")]
    assert order(client, {"path": "t.csv", "places": [{"place": 0, "choice": "value", "text": "x"}]}).status_code == 422
    done = order(client, {"id": file["id"], "choice": "theirs"})
    assert (done.status_code, done.json()) == (202, {"state": "queued"})
    jobs.run(Job.objects.get(kind="pulls.resolve").pk)
    assert client.get(f"{V1}/resolve").json()["state"] == "done"
    assert parted.writer.git("show", "work:t.csv") == "id,n\n1,1\n2,4"


def test_many_files_of_text_are_a_workers_too(bob, parted, api, monkeypatch):
    monkeypatch.setattr(listing, "QUICK_FILES", 1)
    parted(*({f"{n}.txt": side for n in range(2)} for side in ("base", "ours", "theirs")))
    client = api(bob)
    client.get(f"{V1}/conflicts")
    jobs.run(Job.objects.get(kind="pulls.conflicts").pk)
    sent = order(client, *({"path": f"{n}.txt", "choice": "ours"} for n in range(2)))
    assert (sent.status_code, sent.json()) == (202, {"state": "queued"})
    jobs.run(Job.objects.get(kind="pulls.resolve").pk)
    assert client.get(f"{V1}/resolve").json()["state"] == "done"
    assert parted.writer.git("show", "work:1.txt") == "ours"


def test_more_files_than_people_decide_are_refused_once_and_for_good(bob, parted, api, as_user, monkeypatch):
    monkeypatch.setattr(listing, "QUICK_FILES", 1)
    monkeypatch.setattr(files_in_conflict, "MAX_FILES", 2)
    parted(*({f"{n}.txt": side for n in range(3)} for side in ("base", "ours", "theirs")))
    client = api(bob)
    assert client.get(f"{V1}/conflicts").status_code == 202
    job = Job.objects.get(kind="pulls.conflicts")
    jobs.run(job.pk)
    Job.objects.update(finished="2020-01-01T00:00:00Z")  # long ago: nobody looks again
    refused = client.get(f"{V1}/conflicts")
    assert refused.status_code == 422
    assert refused.json()["error"] == "3 files are in conflict, and this page takes 2 at most."
    page = as_user(bob).get("/alice/private/pull/1/conflicts")
    assert (page.status_code, "3 files are in conflict" in page.content.decode()) == (200, True)
    tips = {"head_sha": parted.writer.tips["work"], "base_sha": parted.writer.tips["main"]}
    assert client.post(f"{V1}/resolve", tips | {"files": []}, format="json").status_code == 422
    job.refresh_from_db()
    assert job.state == Job.State.DONE


@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        ([], 422, "Not decided yet: a.txt (1 of 1)"),
        ([{"path": "else"}], 404, "not in conflict"),
        ([{"path": "a.txt", "choice": "ours"}, {"path": "a.txt", "choice": "ours"}], 422, "twice"),
        ([{"path": "a.txt", "places": [{"place": 1, "choice": "ours"}]}], 422, "has no place 1"),
        ([{"path": "a.txt", "places": [{"place": 0, "choice": "remove"}]}], 422, "place 0: Choose one of"),
        ([{"path": "a.txt", "places": [{"place": 0, "choice": "nonsense"}]}], 400, ""),
        ([{"path": "a.txt", "places": [{"place": 0, "choice": "value", "text": "a\0"}]}], 400, ""),
        ("a.txt", 400, ""),
        ([{"path": ["a.txt"]}], 400, ""),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(bob, lines, parted, api, files, code, told):
    client, tip = api(bob), parted.writer.git("rev-parse", "work")
    found = client.get(f"{V1}/conflicts").json()
    tips = {name: found[name] for name in ("head_sha", "base_sha")}
    answer = client.post(f"{V1}/resolve", tips | {"files": files}, format="json")
    assert answer.status_code == code
    assert told in answer.json()["error"]
    assert parted.writer.git("rev-parse", "work") == tip


def test_tips_that_moved_are_409(bob, lines, parted, api):
    client = api(bob)
    found = client.get(f"{V1}/conflicts").json()
    parted.writer.commit({"else": "x"})
    tips = {name: found[name] for name in ("head_sha", "base_sha")}
    answer = client.post(f"{V1}/resolve", tips | {"files": [{"path": "a.txt", "choice": "ours"}]}, format="json")
    assert (answer.status_code, answer.json()["error"]) == (409, "The branches moved while you chose.")


def test_strangers_readers_and_nobody(charlie, lines, private, api):
    from repos.models import Access, Membership

    client = api(charlie)
    addresses = [f"{V1}/conflicts", f"{V1}/conflicts/{'0' * 32}", f"{V1}/resolve"]
    assert {client.get(address).status_code for address in addresses} == {404}
    assert client.post(f"{V1}/resolve", {}, format="json").status_code == 404
    assert api(None).post(f"{V1}/resolve", {}, format="json").status_code == 401
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert client.get(addresses[0]).status_code == 200
    assert client.post(f"{V1}/resolve", {}, format="json").status_code == 403
    assert client.delete(f"{V1}/conflicts").status_code == 405
