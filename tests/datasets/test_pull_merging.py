"""Pull requests merge folders file by file, tables row by row, dvc.lock stage by stage; what is missing blocks."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.utils import timezone

from datasets import objects
from datasets.dvc import keys
from hub.jobs import jobs
from hub.jobs.models import Job
from repos.pulls import merging, reverting, verdicts
from repos.pulls.merging import CannotMerge, Order
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again, propose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("git_root")]
TABLE = "id,name,age\n1,ann,30\n2,bo,40\n3,cy,50\n"


@pytest.fixture
def merged(alice, private, writer):
    """merged(base, ours, theirs) → show(path) of the branch after the merge; files as for Writer.commit."""
    made = writer(private)

    def merge(base, ours, theirs):
        first = made.commit(base, "Base")
        made.commit(theirs, "Theirs", branch="work", start=first)
        made.commit(ours, "Ours")
        private.refresh_from_db()
        merging.merge(as_actor(alice), again(alice, propose(alice, private)), Order())
        return lambda path: made.git("show", f"main:{path}")

    merge.writer = made
    return merge


def troubles(error) -> list[tuple]:
    return [(one.path, one.where, one.missing, one.command) for one in error.value.verdict.troubles]


def test_a_folder_is_merged_file_by_file(private, merged, folder_of):
    show = merged(
        {"images.dvc": folder_of({"a": b"1", "b": b"2"})},
        {"images.dvc": folder_of({"a": b"1", "b": b"22", "c": b"3"})},
        {"images.dvc": folder_of({"a": b"11", "b": b"2"})},
    )
    oid = show("images.dvc").split("md5: ")[1].split()[0]
    blob = objects.find(private.pk, keys.BUCKET, keys.key_of(oid))
    from hub.lib.stores import object_store

    listed = json.loads(object_store().local(blob.key).read_bytes())
    assert {one["relpath"]: one["md5"] for one in listed} == {
        name: hashlib.md5(data).hexdigest() for name, data in (("a", b"11"), ("b", b"22"), ("c", b"3"))
    }
    assert "size: 5" in show("images.dvc")
    assert "nfiles: 3" in show("images.dvc")


def files_of(private, pointer: str) -> dict[str, str]:
    """path → md5, of the folder that a pointer names."""
    from hub.lib.stores import object_store

    blob = objects.find(private.pk, keys.BUCKET, keys.key_of(pointer.split("md5: ")[1].split()[0]))
    return {one["relpath"]: one["md5"] for one in json.loads(object_store().local(blob.key).read_bytes())}


def md5s(**data: bytes) -> dict[str, str]:
    return {name: hashlib.md5(each).hexdigest() for name, each in data.items()}


def test_a_rebase_merges_a_folder_with_each_commit(alice, private, writer, folder_of):
    made = writer(private)
    first = made.commit({"images.dvc": folder_of({"a": b"1", "b": b"2"})}, "Base")
    made.commit({"images.dvc": folder_of({"a": b"11", "b": b"2"})}, "One", branch="work", start=first)
    made.commit({"images.dvc": folder_of({"a": b"11", "b": b"2", "d": b"4"})}, "Two", branch="work")
    made.commit({"images.dvc": folder_of({"a": b"1", "b": b"22"})}, "Ours")
    merging.merge(as_actor(alice), again(alice, propose(alice, private)), Order(method="rebase"))
    assert made.git("log", "--format=%s", "main").split() == ["Two", "One", "Ours", "Base"]
    assert files_of(private, made.git("show", "main~1:images.dvc")) == md5s(a=b"11", b=b"22")
    assert files_of(private, made.git("show", "main:images.dvc")) == md5s(a=b"11", b=b"22", d=b"4")


def test_a_revert_takes_back_files_of_a_folder_and_keeps_what_came_after(alice, private, writer, folder_of):
    made = writer(private)
    first = made.commit({"images.dvc": folder_of({"a": b"1", "b": b"2"})}, "Base")
    made.commit({"images.dvc": folder_of({"a": b"11", "b": b"2", "c": b"3"})}, "Theirs", branch="work", start=first)
    pull = propose(alice, private)
    made.tips["main"] = merging.merge(as_actor(alice), again(alice, pull), Order(method="squash"))
    made.commit({"images.dvc": folder_of({"a": b"11", "b": b"22", "c": b"3"})}, "After it")
    revert = reverting.revert(as_actor(alice), again(alice, pull))
    merging.merge(as_actor(alice), again(alice, revert), Order())
    assert files_of(private, made.git("show", "main:images.dvc")) == md5s(a=b"1", b=b"22")


def test_the_same_file_changed_twice_is_told(merged, folder_of):
    with pytest.raises(CannotMerge) as caught:
        merged(
            {"images.dvc": folder_of({"a": b"1"})},
            {"images.dvc": folder_of({"a": b"2"})},
            {"images.dvc": folder_of({"a": b"3"})},
        )
    ((path, where, missing, _),) = troubles(caught)
    assert (path, missing) == ("images.dvc", ())
    assert where[0].startswith("images/a: ")


def test_what_was_never_pushed_blocks_with_the_command(alice, private, merged, folder_of, keep):
    with pytest.raises(CannotMerge, match=r"was never pushed") as caught:
        merged(
            {"images.dvc": folder_of({"a": b"1"})},
            {"x": "x"},
            {"images.dvc": folder_of({"a": b"1", "new": b"never pushed"}, lacks="new")},
        )
    ((path, _, missing, command),) = troubles(caught)
    assert (path, command) == ("images.dvc", "dvc push images.dvc")
    assert missing[0].startswith("images (")
    keep(private, b"never pushed")
    from repos.pulls.models import PullRequest

    merging.merge(as_actor(alice), again(alice, PullRequest.objects.select_related("issue").get()), Order())


def test_a_repository_that_keeps_its_data_elsewhere_is_not_asked_for_it(merged):
    pointer = "outs:\n- md5: %s\n  size: 3\n  hash: md5\n  path: model.bin\n"
    show = merged({"a": "a"}, {"b": "b"}, {"model.bin.dvc": pointer % ("a" * 32)})
    assert "a" * 32 in show("model.bin.dvc")


def test_a_table_with_a_key_is_merged_row_by_row(merged):
    show = merged(
        {"people.csv": TABLE, ".covey/config.yml": "datasets:\n  keys:\n    people.csv: id\n"},
        {"people.csv": TABLE.replace("bo,40", "bo,41")},
        {"people.csv": TABLE.replace("2,bo,40", "2,bob,40").replace("3,cy,50\n", "4,di,60\n")},
    )
    assert show("people.csv") == "id,name,age\n1,ann,30\n2,bob,41\n4,di,60"


def test_a_cell_changed_twice_is_told(merged):
    with pytest.raises(CannotMerge) as caught:
        merged(
            {"people.csv": TABLE, ".covey/config.yml": "datasets:\n  keys:\n    people.csv: id\n"},
            {"people.csv": TABLE.replace("bo,40", "bo,41")},
            {"people.csv": TABLE.replace("bo,40", "bo,42")},
        )
    assert troubles(caught)[0][1] == ("row id=2, age: base has '41', head has '42'",)


def test_a_table_without_a_key_says_what_would_help(merged):
    with pytest.raises(CannotMerge) as caught:
        merged({"p.csv": TABLE}, {"p.csv": TABLE + "4,x,1\n"}, {"p.csv": TABLE + "5,y,2\n"})
    assert "With a key" in troubles(caught)[0][1][0]


def test_a_table_that_a_pointer_tracks_is_merged_too(private, merged, keep):
    def pointer(text: str) -> str:
        return f"outs:\n- md5: {keep(private, text.encode())}\n  size: {len(text)}\n  hash: md5\n  path: people.csv\n"

    show = merged(
        {"data/people.csv.dvc": pointer(TABLE), ".covey/config.yml": "datasets:\n  keys:\n    data/*.csv: id\n"},
        {"data/people.csv.dvc": pointer(TABLE.replace("bo,40", "bo,41"))},
        {"data/people.csv.dvc": pointer(TABLE.replace("1,ann", "1,anna"))},
    )
    wanted = TABLE.replace("bo,40", "bo,41").replace("1,ann", "1,anna").encode()
    assert f"md5: {hashlib.md5(wanted).hexdigest()}" in show("data/people.csv.dvc")
    assert objects.find(private.pk, keys.BUCKET, keys.key_of(hashlib.md5(wanted).hexdigest()))


def test_a_stage_whose_inputs_changed_twice_is_noted(alice, private, merged):
    def lock(script: str) -> str:
        return (
            "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    deps:\n    - path: train.py\n"
            f"      hash: md5\n      md5: {script * 32}\n      size: 1\n"
        )

    made = merged.writer
    first = made.commit({"dvc.lock": lock("a")}, "Base")
    head = made.commit({"dvc.lock": lock("b")}, "Theirs", branch="work", start=first)
    base = made.commit({"dvc.lock": lock("c")}, "Ours")
    private.refresh_from_db()
    assert verdicts.verdict(private, base, head, user_id=alice.pk) is None
    jobs.run(Job.objects.get(kind=verdicts.LOOK).pk)
    found = verdicts.verdict(private, base, head, user_id=alice.pk)
    assert found.clean
    assert found.merged == ("dvc.lock",)
    assert found.notes == ("Both sides changed the inputs of the stage train: run dvc repro after the merge.",)


@pytest.mark.parametrize("bad", ["outs: [", "outs: 3\n", "- 1\n", "outs:\n- path: a\n- path: a\n"])
def test_a_pointer_that_cannot_be_read_is_a_conflict(merged, bad):
    with pytest.raises(CannotMerge):
        merged({"a.dvc": "outs:\n- path: a\n"}, {"a.dvc": "outs:\n- path: b\n"}, {"a.dvc": bad})


@pytest.fixture
def asked(alice, private, merged, as_user, api):
    """asked(base, ours, theirs) → (box(), mergeable()): what the page and the API say of a pull request."""

    def ask(base, ours, theirs):
        made = merged.writer
        first = made.commit(base, "Base")
        made.commit(theirs, "Theirs", branch="work", start=first)
        made.commit(ours, "Ours")
        private.refresh_from_db()
        propose(alice, private)
        return (
            lambda: as_user(alice).get("/alice/private/pull/1/merge-box").content.decode(),
            lambda: api(alice).get("/api/v1/repos/alice/private/pulls/1").json()["mergeable"],
        )

    return ask


KEYED = {"people.csv": TABLE, ".covey/config.yml": "datasets:\n  keys:\n    people.csv: id\n"}


def test_a_table_is_looked_at_by_a_worker_while_the_box_waits(asked):
    box, mergeable = asked(
        KEYED, {"people.csv": TABLE.replace("bo,40", "bo,41")}, {"people.csv": TABLE.replace("cy,50", "cy,51")}
    )
    for _ in range(2):
        assert "Looking whether this can be merged" in box()
        assert 'hx-trigger="load delay:2s"' in box()
        assert mergeable() is None
    jobs.run(Job.objects.get(kind=verdicts.LOOK).pk)
    assert "their data goes together without a conflict" in box()
    assert mergeable() is True


def test_conflicts_survive_the_way_through_the_job(asked):
    box, mergeable = asked(
        KEYED, {"people.csv": TABLE.replace("bo,40", "bo,41")}, {"people.csv": TABLE.replace("bo,40", "bo,42")}
    )
    box()
    jobs.run(Job.objects.get(kind=verdicts.LOOK).pk)
    assert "row id=2, age: base has &#x27;41&#x27;, head has &#x27;42&#x27;" in box()
    assert mergeable() is False


def test_what_a_push_mends_is_looked_at_again(asked, private, keep, folder_of):
    box, _ = asked(
        {"images.dvc": folder_of({"a": b"1", "b": b"2"})},
        {"images.dvc": folder_of({"a": b"11", "b": b"2"})},
        {"images.dvc": folder_of({"a": b"1", "b": b"22"}, lacks="b")},
    )
    box()
    job = Job.objects.get(kind=verdicts.LOOK)
    jobs.run(job.pk)
    assert "Something must be pushed first" in box()
    keep(private, b"22")
    Job.objects.update(finished=timezone.now() - verdicts.LOOK_AGAIN * 2)
    assert "Looking whether" in box()
    jobs.run(job.pk)
    assert "This can be merged" in box()


def test_a_failure_is_told_and_tried_again_later(asked):
    box, mergeable = asked(
        KEYED, {"people.csv": TABLE.replace("bo,40", "bo,41")}, {"people.csv": TABLE.replace("cy,50", "cy,51")}
    )
    box()
    job = Job.objects.get(kind=verdicts.LOOK)
    Job.objects.update(state=Job.State.FAILED, error="This merge takes too long.", finished=timezone.now())
    assert "This merge takes too long." in box()
    assert mergeable() is None
    Job.objects.update(finished=timezone.now() - verdicts.LOOK_AGAIN * 2)
    assert "Looking whether" in box()
    jobs.run(job.pk)
    assert mergeable() is True
