"""Garbage goes; whatever a ref leads to stays whole, with people pushing all the while."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datasets import objects, results
from datasets.dvc import keys, manifests
from datasets.models import Blob, StoredObject
from datasets.storage import garbage
from datasets.storage.garbage_list import GarbageList
from datasets.tracked import commits
from datasets.tracked import manifests as indexes
from hub.accounts.models import AuditEvent, User
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.stores import object_store
from repos.models import Push, Repository
from tests.datasets.test_contents import pointer
from tests.support.asgi import ask, basic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]
DAYS = timedelta(days=3)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def age(**which: Any) -> None:
    """Let days go by for these rows."""
    rows = StoredObject.objects.filter(**which)
    rows.update(created=F("created") - DAYS, told=F("told") - DAYS)


def work(kind: str, repository: Repository, **arguments: Any) -> Job:
    job = jobs.start(kind, f"{kind}:{repository.pk}", {"repository": repository.pk, **arguments})
    Job.objects.filter(pk=job.pk).update(arguments={"repository": repository.pk, **arguments})
    jobs.restart(job)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def look(repository: Repository) -> dict[str, Any]:
    job = work(garbage.LOOK, repository)
    assert job.state == "done", job.error
    return dict(job.result)


def collect(repository: Repository, listed: str = "") -> dict[str, Any]:
    found = listed or look(repository)["list"]
    job = work(garbage.COLLECT, repository, list=found, user=None, address="")
    assert job.state == "done", job.error
    return dict(job.result)


def listed(found: dict[str, Any]) -> set[str]:
    (place,) = Path(results.list_place(0, "")).parent.parent.glob(f"*/{found['list']}.list")
    return {item.key for item in GarbageList(place).page(0, 1000)}


def here(repository: Repository) -> set[str]:
    return set(StoredObject.objects.filter(repository=repository).values_list("key", flat=True))


@pytest.fixture
def project(private, writer, keep):
    """main: a file, then another in its place; a branch with a folder. One object that no commit names."""
    made = writer(private)
    made.commit({"a.dvc": pointer(keep(private, b"first"), "a")})
    made.commit({"a.dvc": pointer(keep(private, b"second"), "a"), "README.md": "x"})
    files = [(f"{n}.txt", keep(private, n.encode())) for n in ("one", "two")]
    folder = keep(private, manifests.dumps(files), suffix=".dir")
    made.commit({"d.dvc": pointer(folder, "d")}, branch="side", start=made.tips["main"])
    keep(private, b"never committed")
    return made


def test_what_no_commit_names_goes_after_a_day(project, alice):
    repository = project.repository
    assert look(repository)["objects"] == 0  # all of it is young
    age()
    found = look(repository)
    assert (found["objects"], found["bytes"], found["of"]) == (1, len(b"never committed"), 6)
    assert listed(found) == {keys.key_of(md5(b"never committed"))}
    assert len(here(repository)) == 6  # looking removes nothing
    job = work(garbage.COLLECT, repository, list=found["list"], user=alice.pk, address="10.0.0.1")
    assert (job.result["objects"], job.result["bytes"]) == (1, 15)
    assert len(here(repository)) == 5
    assert Blob.objects.count() == 5
    event = AuditEvent.objects.get(action="data.collect")
    assert (event.actor_name, event.after) == ("alice", {"objects": 1, "bytes": 15})


def test_while_a_commit_cannot_be_listed_nothing_goes_and_it_is_named(project, monkeypatch):
    monkeypatch.setattr(commits, "WALK_SECONDS", 2.0)
    monkeypatch.setattr(commits, "COMMIT_SECONDS", 2.0)
    boom = project.bomb("boom", project.tips["main"])
    age()
    job = work(garbage.LOOK, project.repository)
    assert job.state == "failed"
    assert boom[:10] in job.error
    assert "remove the branches that lead to it" in job.error
    project.git("update-ref", "-d", "refs/heads/boom")
    project.moved()
    assert collect(project.repository)["objects"] == 1


def test_a_deleted_branch_frees_what_it_alone_led_to(project):
    project.git("update-ref", "-d", "refs/heads/side")
    age()
    collect(project.repository)
    assert here(project.repository) == {keys.key_of(md5(b"first")), keys.key_of(md5(b"second"))}


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/exps/12/34/exp-a", "refs/notes/x"])
def test_every_kind_of_ref_keeps_what_it_leads_to(project, ref):
    project.git("update-ref", ref, project.tips["side"])
    project.git("update-ref", "-d", "refs/heads/side")
    age()
    assert listed(look(project.repository)) == {keys.key_of(md5(b"never committed"))}


def test_an_annotated_tag_keeps_it_too_and_one_of_a_tree_does_no_harm(project):
    project.git("tag", "-a", "-m", "x", "v1", project.tips["side"])
    project.git("update-ref", "-d", "refs/heads/side")
    project.git("tag", "tree", project.git("rev-parse", "main^{tree}"))
    age()
    assert len(listed(look(project.repository))) == 1


def test_both_layouts_and_every_form_of_a_pointer_count(private, writer, keep):
    oids = [keep(private, b"%d" % n, legacy=n % 2 == 1) for n in range(6)]
    inner = [keep(private, b"in %d" % n, legacy=True) for n in range(3)]
    entries = [
        {"md5": inner[0], "relpath": "x"},
        {"md5": inner[1], "relpath": "../x"},
        {"md5": inner[2], "relpath": "a\nb"},
    ]

    folder = keep(private, json.dumps(entries).encode(), suffix=".dir", legacy=True)
    unlisted = keep(private, b"not a list: %s" % oids[5].encode(), suffix=".dir")
    lock = f"stages:\n  s:\n    outs:\n    - {{path: o, md5: '{oids[1]}'}}\n"
    writer(private).commit(
        {
            "../x.dvc".replace("../", "p/"): f"outs:\n- path: ../../../etc/passwd\n  md5: {oids[0].upper()}\n",
            "p/dvc.lock": lock,
            "Dvcfile": f"outs: [{{path: x, md5: {oids[2]}}}]",
            "broken.dvc": f"outs: [\n  md5: {oids[3]}",
            "files.dvc": f"outs:\n- path: w\n  files:\n  - {{relpath: /abs, md5: {oids[4]}}}\n",
            "d.dvc": f"outs: [{{path: d, md5: {folder}}}]",
            "e.dvc": f"outs: [{{path: e, md5: {unlisted}}}]",
        }
    )
    age()
    assert look(private)["objects"] == 0


def test_the_run_cache_stays_with_what_it_names(private, writer, keep):
    named, other = keep(private, b"made by a run"), keep(private, b"by none")
    run = keep(private, f"cmd: x\nouts:\n- path: o\n  md5: {named}\n".encode())
    key = f"runs/ab/ab{'0' * 62}/{'1' * 64}"
    StoredObject.objects.filter(key=keys.key_of(run)).update(key=key)
    writer(private).commit({"README.md": "x"})
    age()
    collect(private)
    assert here(private) == {key, keys.key_of(named)}
    assert other not in named


def test_the_own_bucket_and_other_repositories_stay(project, public, keep):
    age()
    keep(public, b"never committed")
    blob = Blob.objects.get(md5=md5(b"never committed"))
    StoredObject.objects.create(repository=project.repository, bucket="s3", key="x", blob=blob, etag="x")
    age(repository=project.repository)
    collect(project.repository)
    assert keys.key_of(md5(b"never committed")) in here(public)
    assert "x" in here(project.repository)
    assert Blob.objects.filter(pk=blob.pk).exists()


def test_a_repository_without_git_keeps_its_young_objects_only(private, keep):
    keep(private, b"old")
    age()
    keep(private, b"young")
    collect(private)
    assert here(private) == {keys.key_of(md5(b"young"))}


def test_what_a_pusher_asked_for_stays_and_what_a_reader_asked_for_goes(project, token_of, alice, bob):
    age()
    path = "/alice/private.dvc/" + keys.key_of(md5(b"never committed"))
    assert ask("GET", path, headers=basic(token_of(alice, scopes=["data:read"]))).status == 200
    assert look(project.repository)["objects"] == 1
    assert ask("GET", path, headers=basic(token_of(bob))).status == 200
    assert look(project.repository)["objects"] == 0
    age()
    assert ask("PUT", path, headers=basic(token_of(bob)), body=[b"never committed"]).status == 200
    assert look(project.repository)["objects"] == 0


def test_what_is_pushed_again_between_look_and_collection_stays(project, token_of, bob):
    age()
    found = look(project.repository)
    path = "/alice/private.dvc/" + keys.key_of(md5(b"never committed"))
    ask("PUT", path, headers=basic(token_of(bob)), body=[b"never committed"])
    assert collect(project.repository, found["list"])["objects"] == 0


def test_what_is_named_again_between_look_and_collection_stays(project):
    age()
    found = look(project.repository)
    project.commit({"n.dvc": pointer(md5(b"never committed"), "n")})
    assert collect(project.repository, found["list"])["objects"] == 0


def test_only_what_was_listed_goes(project):
    age()
    found = look(project.repository)
    project.git("update-ref", "-d", "refs/heads/side")
    collect(project.repository, found["list"])
    assert len(here(project.repository)) == 5


def test_a_push_under_way_is_seen(project, monkeypatch):
    """Its refs have moved in git already; its row is not settled yet."""
    age()
    found = look(project.repository)
    real = garbage._remove

    def meanwhile(*words: Any) -> None:
        Push.objects.create(repository=project.repository)
        stale = Repository.objects.get(pk=project.repository.pk).ref_generation
        project.commit({"n.dvc": pointer(md5(b"never committed"), "n")})
        Repository.objects.filter(pk=project.repository.pk).update(ref_generation=stale)
        real(*words)

    monkeypatch.setattr(garbage, "_remove", meanwhile)
    assert collect(project.repository, found["list"])["objects"] == 0


def test_a_damaged_or_lost_manifest_stops_it(project, folder):
    age()
    row = StoredObject.objects.select_related("blob").get(key__endswith=".dir")
    indexes.forget(row.blob)
    place = folder._path(row.blob.key)
    place.write_bytes(b"[]" + b" " * (row.blob.size - 2))
    job = work(garbage.LOOK, project.repository)
    assert job.state == "failed"
    assert row.key in job.error
    assert "dvc push" in job.error
    place.unlink()
    assert work(garbage.LOOK, project.repository).state == "failed"
    assert len(here(project.repository)) == 6


def test_a_list_that_is_gone_is_said_so(project):
    job = work(garbage.COLLECT, project.repository, list="0" * 64, user=None, address="")
    assert (job.state, "Look for garbage again" in job.error) == ("failed", True)


def test_a_deleted_repository_is_left_to_its_removal(project):
    age()
    found = look(project.repository)
    Repository.objects.filter(pk=project.repository.pk).update(deleted=timezone.now())
    assert work(garbage.COLLECT, project.repository, list=found["list"], user=None, address="").state == "failed"


# ---- any history, any time ---------------------------------------------------------------------
DATA = [b"data %d" % number for number in range(5)]
BRANCHES = ["main", "a", "b"]
_numbers = count()


class Team:
    """Two repositories of one owner, and what happens to them. A push is a generator: it waits at each yield."""

    def __init__(self, alice: User, token: str, writer: Callable[..., Any]) -> None:
        number = next(_numbers)
        self.headers = basic(token)
        self.projects = []
        for name in ("x", "y"):
            repository = Repository.objects.create(owner=alice.owner, name=f"{name}{number}")
            self.projects.append(writer(repository))

    def push(self, which: int, chosen: list[int], branch: str, legacy: bool) -> Iterator[None]:
        """As DVC does it: a file alone, or a folder when several are chosen; then the commit."""
        made = self.projects[which]
        oids = [md5(DATA[n]) for n in chosen]
        if len(chosen) == 1:
            yield from self.send(made, oids[0], DATA[chosen[0]], legacy)
            oid = oids[0]
        else:
            data = manifests.dumps((f"{n}.txt", oid) for n, oid in zip(chosen, oids, strict=True))
            oid = md5(data) + ".dir"
            if not self.has(made, oid, legacy):
                yield
                for n, file in zip(chosen, oids, strict=True):
                    yield from self.send(made, file, DATA[n], legacy)
                yield from self.send(made, oid, data, legacy)
        yield
        text = pointer(oid, "out") if not legacy else f"outs:\n- md5: {oid}\n  path: out\n"
        if not self.projects[which].git("for-each-ref", f"refs/heads/{branch}"):
            made.tips.pop(branch, None)
        made.commit({"out.dvc": text, f"{next(_numbers)}": "x"}, branch=branch)

    def send(self, made: Any, oid: str, data: bytes, legacy: bool) -> Iterator[None]:
        if not self.has(made, oid, legacy):
            yield
            assert ask("PUT", self.address(made, oid, legacy), headers=self.headers, body=[data]).status in {200, 201}
        yield

    def has(self, made: Any, oid: str, legacy: bool) -> bool:
        return ask("GET", self.address(made, oid, legacy), headers=self.headers).status == 200

    def address(self, made: Any, oid: str, legacy: bool) -> str:
        return f"/{made.repository.full_name}.dvc/{keys.key_of(oid, legacy=legacy)}"

    def delete(self, which: int, branch: str) -> None:
        self.projects[which].git("update-ref", "-d", f"refs/heads/{branch}")
        self.projects[which].moved()

    def tag(self, which: int, branch: str) -> None:
        made = self.projects[which]
        if tip := made.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}"):
            made.git("update-ref", f"refs/{['tags', 'exps'][which]}/{next(_numbers)}", tip)
            made.moved()

    def needed(self, which: int) -> set[str]:
        """The keys that any ref leads to, from git's and the store's plainest commands."""
        made, found = self.projects[which], set()
        for commit in made.git("rev-list", "--all").split():
            names = made.git("ls-tree", "--name-only", commit).split()
            text = made.git("show", f"{commit}:out.dvc") if "out.dvc" in names else ""
            for line in text.splitlines():
                if "md5: " in line:
                    oid, legacy = line.split("md5: ")[1], "hash: md5" not in text
                    found.add(keys.key_of(oid, legacy=legacy))
                    if oid.endswith(".dir"):
                        found |= {keys.key_of(md5(d), legacy=legacy) for d in self.inside(oid)}
        return found

    def inside(self, oid: str) -> list[bytes]:
        for size in range(2, len(DATA) + 1):
            for chosen in combinations(range(len(DATA)), size):
                if md5(manifests.dumps((f"{n}.txt", md5(DATA[n])) for n in chosen)) + ".dir" == oid:
                    return [DATA[n] for n in chosen]
        raise AssertionError(oid)

    def check(self) -> None:
        """Every version that a ref leads to is whole, with its very bytes."""
        for which, made in enumerate(self.projects):
            for key in self.needed(which):
                blob = objects.find(made.repository.pk, keys.BUCKET, key)
                assert blob is not None, (which, key)
                assert md5(object_store().head(blob.key, 10_000)) == keys.oid_of(key).removesuffix(".dir")


chosen = st.lists(st.integers(0, len(DATA) - 1), min_size=1, max_size=3, unique=True).map(sorted)
pushes = st.tuples(st.just("push"), st.integers(0, 1), chosen, st.sampled_from(BRANCHES), st.booleans())
steps = st.one_of(
    pushes,
    st.tuples(st.just("delete"), st.integers(0, 1), st.sampled_from(BRANCHES)),
    st.tuples(st.just("tag"), st.integers(0, 1), st.sampled_from(BRANCHES)),
    st.tuples(st.just("age")),
    st.tuples(st.just("race"), pushes, st.integers(0, 6), st.integers(0, 12)),
    st.tuples(st.just("revive"), pushes),
)


@pytest.fixture
def team_of(alice, token_of, writer):
    token = token_of(alice)
    return lambda: Team(alice, token, writer)


FOLDER = ("push", 0, [0, 1], "a", False)


# Without what these three need, in turn: that a pusher's question is written down, that the files of a manifest which
# stays are marked, that refs are looked at again before anything goes.
@example([("race", FOLDER, 1, 99)])
@example([("revive", FOLDER)])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=2, max_size=8))
def test_no_history_loses_what_a_ref_leads_to(team_of, history):
    team = team_of()
    for step in history:
        match step:
            case ("push", *words):
                for _ in team.push(*words):
                    pass
            case ("delete", which, branch):
                team.delete(which, branch)
            case ("tag", which, branch):
                team.tag(which, branch)
            case ("age",):
                age()
            case ("race", (_, *words), head_start, pause):
                push_again_meanwhile(team, words, head_start, pause)
                team.check()
            case ("revive", (_, *words)):
                name_again_meanwhile(team, words)
                team.check()
    age()
    for which, made in enumerate(team.projects):
        collect(made.repository)
        left, needed = here(made.repository), team.needed(which)
        assert needed <= left
        # What is named in one layout is kept in both.
        assert {keys.oid_of(key) for key in left} == {keys.oid_of(key) for key in needed}
    team.check()
    named = StoredObject.objects.values("blob_id")
    assert not Blob.objects.exclude(pk__in=named).exists()


def name_again_meanwhile(team: Team, words: list[Any]) -> None:
    """A branch that was deleted comes back by Git alone, when the collection has just marked what refs lead to."""
    which, _, branch, _ = words
    made = team.projects[which]
    for _ in team.push(*words):
        pass
    tip = made.git("rev-parse", f"refs/heads/{branch}").strip()
    team.delete(which, branch)
    age()
    found, real = look(made.repository), garbage.Needed.mark_names

    def back(needed: garbage.Needed) -> None:
        real(needed)
        made.git("update-ref", f"refs/heads/{branch}", tip)
        made.moved()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(garbage.Needed, "mark_names", back)
        collect(made.repository, found["list"])


def push_again_meanwhile(team: Team, words: list[Any], head_start: int, pause: int) -> None:
    """What was pushed, and its branch deleted, is pushed again while it is collected: some steps before, the others
    one at a time between the steps of the collection, after some of them."""
    for _ in team.push(*words):
        pass
    team.delete(words[0], words[2])
    age()
    found = look(team.projects[words[0]].repository)
    push = team.push(*words)
    for _ in range(head_start):
        next(push, None)
    steps_ = count()

    def on() -> None:
        if next(steps_) >= pause:
            next(push, None)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("mark_files", "mark_names", "unneeded", "require_alive"):
            real = getattr(garbage.Needed, name)
            patch.setattr(garbage.Needed, name, lambda *args, real=real: (on(), real(*args), on())[1])
        patch.setattr(garbage.removal, "BATCH", 1)
        collect(team.projects[words[0]].repository, found["list"])
    for _ in push:
        pass


def test_a_folder_that_a_pusher_finds_here_keeps_its_files(project, monkeypatch, token_of, bob):
    """DVC asks for the manifest alone, and then sends none of the files."""
    project.git("update-ref", "-d", "refs/heads/side")
    age()
    found = look(project.repository)
    folder = StoredObject.objects.get(key__endswith=".dir").key
    real = garbage.Needed.mark_names

    def asked_meanwhile(needed: garbage.Needed) -> None:
        real(needed)
        assert ask("GET", f"/alice/private.dvc/{folder}", headers=basic(token_of(bob))).status == 200

    monkeypatch.setattr(garbage.Needed, "mark_names", asked_meanwhile)
    assert collect(project.repository, found["list"])["objects"] == 1
    assert {folder, keys.key_of(md5(b"one")), keys.key_of(md5(b"two"))} <= here(project.repository)
