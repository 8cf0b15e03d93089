"""The index of dataset versions: every commit's changes of data, the same however often it is made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from datasets.models import DatasetChange, DatasetVersion
from datasets.tracked import commits, indexing
from hub.jobs import outbox
from repos.signals import PUSHED
from tests.datasets.test_contents import pointer

pytestmark = pytest.mark.django_db
A, B, C = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture
def project(private, writer):
    made = writer(private)
    made.commit({"d.dvc": pointer(A + ".dir", "d"), "t.csv": "1\n", "README.md": "x"})
    made.commit({"d.dvc": pointer(B + ".dir", "d", size=7), "src/x.py": "x"})
    made.commit({"README.md": "y"})
    lock = f"schema: '2.0'\nstages:\n  s:\n    cmd: x\n    outs:\n    - path: out\n      hash: md5\n      md5: {C}\n"
    made.commit({"p/dvc.lock": lock, "t.csv": None})
    return made


def changes(project: Any) -> list[tuple[str, str, str, str]]:
    """(commit's message number, path, before, after), in order of commits."""
    order = project.git("rev-list", "--all", "--reverse", "--topo-order").split()
    rows = DatasetChange.objects.filter(repository=project.repository).select_related("version", "before")
    found = [
        (
            order.index(r.commit),
            (r.version or r.before).path,
            r.before and r.before.identity,
            r.version and r.version.identity,
        )
        for r in rows
    ]
    return sorted(found, key=lambda row: row[:2])


EXPECTED = [
    (0, "d", None, f"md5:{A}.dir"),
    (0, "t.csv", None, "git:d00491fd7e5bb6fa28c517a0bb32b8b506539d4d"),
    (1, "d", f"md5:{A}.dir", f"md5:{B}.dir"),
    (3, "p/out", None, f"md5:{C}"),
    (3, "t.csv", "git:d00491fd7e5bb6fa28c517a0bb32b8b506539d4d", None),
]


def test_a_push_indexes_its_commits(project):
    outbox.announce(PUSHED, {"repository_id": project.repository.pk, "push_id": 1})
    for row in outbox.pending():
        outbox.deliver(row)
    assert changes(project) == EXPECTED
    version = DatasetVersion.objects.get(identity=f"md5:{B}.dir")
    assert (version.is_dir, version.size) == (True, 7)


def test_indexing_twice_and_again_changes_nothing(project):
    assert commits.index(project.repository) == 3
    assert commits.index(project.repository) == 0
    assert commits.index(project.repository, again=True) == 3
    assert changes(project) == EXPECTED


@pytest.mark.django_db(transaction=True)
def test_two_at_once_walk_through_the_history_once(project):
    def index() -> int:
        try:
            return commits.index(project.repository)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(index) for _ in range(4)]
    assert sorted(one.result() for one in found) == [0, 0, 0, 3]
    assert changes(project) == EXPECTED


def test_only_what_is_new_is_read(project):
    commits.index(project.repository)
    project.commit({"d.dvc": pointer(C + ".dir", "d")})
    assert commits.index(project.repository) == 1
    assert changes(project)[-1][1:] == ("d", f"md5:{B}.dir", f"md5:{C}.dir")


def test_it_can_be_rebuilt_and_repaired(project):
    call_command("rebuild_datasets")
    DatasetChange.objects.filter(version__path="d").delete()
    call_command("rebuild_datasets", missing=True)
    assert changes(project) != EXPECTED  # the nightly look only goes on from where the index stands
    call_command("rebuild_datasets")
    assert changes(project) == EXPECTED


def test_branches_merges_and_a_rewritten_past(project):
    commits.index(project.repository)
    side = project.commit({"e.dvc": pointer(A, "e")}, branch="side", start=project.tips["main"])
    project.commit({"README.md": "z"})
    project.commit({"e.dvc": pointer(A, "e")}, merge=side)
    commits.index(project.repository)
    of_e = [row for row in changes(project) if row[1] == "e"]
    assert len(of_e) == 2  # the commit that made it, and the merge that brought it to main
    project.git("update-ref", "refs/heads/main", project.git("rev-list", "--max-parents=0", "main"))
    project.git("update-ref", "-d", "refs/heads/side")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "--prune=now", "--quiet")
    project.tips["main"] = project.git("rev-parse", "main")
    project.commit({"f.dvc": pointer(B, "f")})
    assert commits.index(project.repository) == 2  # with tips that are gone it begins again
    assert DatasetVersion.objects.filter(path="f").exists()


def test_an_output_that_moved_to_another_pointer_is_still_one(private, writer):
    made = writer(private)
    made.commit({"one.dvc": pointer(A, "data")})
    made.commit({"one.dvc": None, "two.dvc": pointer(A, "data")})
    made.commit({"two.dvc": pointer(B, "data")})
    commits.index(private)
    assert [row[0] for row in changes(made)] == [0, 2]


@pytest.mark.parametrize("text", ["a: [", "outs: 5", "outs:\n- path: ../../etc/passwd\n  md5: " + A, "\0", ""])
def test_a_hostile_pointer_has_no_versions(private, writer, text):
    writer(private).commit({"x.dvc": text, "commit 1.dvc": pointer(A, "n"), "\xff.csv": "1"})
    assert indexing.refresh(private.pk) is not None
    assert set(DatasetVersion.objects.values_list("path", flat=True)) == {"n", "\xff.csv"}


def test_a_thousand_pointers_take_few_statements(private, writer, django_assert_max_num_queries):
    made = writer(private)
    made.commit({f"d/{n}.dvc": pointer(f"{n:032x}", f"{n}.bin") for n in range(1000)})
    with django_assert_max_num_queries(30):
        assert commits.index(private) == 1
    assert DatasetChange.objects.count() == 1000


def test_a_commit_that_nobody_can_list_is_left_out_and_the_others_are_indexed(
    project, as_user, bob, monkeypatch, caplog
):
    monkeypatch.setattr(commits, "WALK_SECONDS", 2.0)
    monkeypatch.setattr(commits, "COMMIT_SECONDS", 2.0)
    boom = project.bomb("boom", project.tips["main"])
    project.commit({"e.dvc": pointer(A, "e")}, branch="boom")
    assert commits.index(project.repository) == 4
    assert changes(project)[:-1] == EXPECTED
    assert changes(project)[-1][1] == "e"
    assert "1 commits could not be read in time" in caplog.text
    project.commit({"f.dvc": pointer(B, "f")})
    assert commits.index(project.repository) == 1
    assert caplog.text.count("walked slowly") == 1  # what was left out is not tried again
    url = f"/{project.repository.full_name}"
    assert f'href="{url}/commit/{boom}"' in as_user(bob).get(f"{url}/data").content.decode()
    project.git("update-ref", "-d", "refs/heads/boom")
    commits.index(project.repository)
    assert boom not in as_user(bob).get(f"{url}/data").content.decode()


def test_a_history_that_takes_longer_than_one_walk_is_indexed_whole(project, monkeypatch):
    monkeypatch.setattr(commits, "WALK_SECONDS", 0.0)
    monkeypatch.setattr(commits, "BATCH_COMMITS", 2)
    assert commits.index(project.repository) == 3
    assert changes(project) == EXPECTED
    assert project.repository.dataset_index.unread == []
