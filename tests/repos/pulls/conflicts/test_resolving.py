"""What comes of choices: one commit of the base into the branch, once, and never on tips that nobody looked at."""

from __future__ import annotations

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos.models import Push
from repos.pulls import merging, verdicts
from repos.pulls.conflicts import choosing, listing, resolving
from repos.pulls.conflicts.models import Chosen
from repos.pulls.conflicts.resolving import Order
from repos.pulls.drivers import Choice, Choices
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conflicts.conftest import LINES
from tests.repos.pulls.conftest import again, deliver

pytestmark = pytest.mark.django_db
MERGED = LINES.replace("line 20\n", "our 20\n").replace("line 28\n", "their 28\n")


def found_of(pull):
    return listing.listing(pull, *listing.tips(pull), user_id=None)


def order(pull, choices, **fields):
    found = found_of(pull)
    digests = {file.path: file.digest for file in found.files}
    made = {digests[path]: each for path, each in choices.items()}
    return Order(found.ours, found.theirs, made, **fields)


def resolved(user, pull, **choices):
    """The answer of the job; choices: of each file, whose names end in .txt."""
    job = resolving.begin(as_actor(user), pull, order(pull, {f"{n}.txt": c for n, c in choices.items()}))
    return resolving.answer(job)


def show(parted, path, rev="work"):
    return parted.writer.git("show", f"{rev}:{path}") + "\n"


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (Choice("ours"), "our 3\n"),
        (Choice("theirs"), "their 3\n"),
        (Choice("base"), "line 3\n"),
        (Choice("both"), "our 3\ntheir 3\n"),
        (Choice("both-theirs-first"), "their 3\nour 3\n"),
        (Choice("value", "mine\r\nand é"), "mine\nand é\n"),
        (Choice("value", ""), ""),
    ],
)
def test_a_place_is_decided_and_the_rest_is_merged(alice, parted, lines, choice, line):
    told = resolved(alice, lines, a=Choices({0: choice}))
    assert told["state"] == "done"
    assert show(parted, "a.txt") == MERGED.replace("line 3\n", line)
    tips = parted.writer.tips
    assert parted.writer.git("rev-list", "--parents", "-1", "work").split()[1:] == [tips["work"], tips["main"]]


def test_the_request_is_clean_afterwards_and_merges(alice, bob, parted, lines):
    resolved(bob, lines, a=Choices(rest="theirs"))
    deliver()
    pull = again(alice, lines)
    assert verdicts.verdict(pull.repository, *listing.tips(pull)[::-1], user_id=None).clean
    assert found_of(pull).files == ()
    merging.merge(as_actor(alice), pull, merging.Order())
    assert show(parted, "a.txt", "main") == MERGED.replace("line 3\n", "their 3\n")


def test_what_is_not_decided_is_named(alice, lines):
    with pytest.raises(Unprocessable, match=r"a\.txt \(1 of 1\)"):
        resolved(alice, lines)
    with pytest.raises(Unprocessable, match=r"a\.txt"):
        resolving.begin(as_actor(alice), lines, order(lines, {"a.txt": Choices({7: Choice("ours")})}))


@pytest.mark.parametrize("branch", ["work", "main"])
def test_a_branch_that_moved_is_told_and_nothing_is_written(alice, parted, lines, branch):
    asked = order(lines, {"a.txt": Choices(rest="ours")})
    parted.writer.commit({"else.txt": "x"}, branch=branch)
    pushes = Push.objects.count()
    with pytest.raises(Conflict, match="moved while you chose"):
        resolving.begin(as_actor(alice), lines, asked)
    assert Push.objects.count() == pushes


@pytest.mark.parametrize("branch", ["work", "main"])
def test_a_branch_that_moves_while_the_worker_works_is_told_by_the_job(alice, parted, lines, branch, monkeypatch):
    commit = resolving._commit

    def slow(*args):  # somebody pushes between the reading of the tips and the swap: the commit is made all the same
        made = commit(*args)
        parted.writer.commit({"else.txt": "x"}, branch=branch)
        return made

    monkeypatch.setattr(resolving, "_commit", slow)
    told = resolved(alice, lines, a=Choices(rest="ours"))
    assert (told["state"], told["code"]) == ("failed", 409)
    assert "Merge" not in parted.writer.git("log", "-1", "--format=%s", "work")


def test_a_run_after_a_killed_one_sees_what_was_published(alice, parted, lines):
    job = resolving.begin(as_actor(alice), lines, order(lines, {"a.txt": Choices(rest="ours")}))
    tip = parted.writer.git("rev-parse", "work")
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, result=None, attempts=0)  # died before it wrote that
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.result == {"commit": tip}
    assert parted.writer.git("rev-parse", "work") == tip


def test_a_file_that_is_not_in_conflict_is_not_found(lines):
    with pytest.raises(NotFound):
        found_of(lines).find("nonsense")


def test_who_may_not_write_may_not_resolve(charlie, lines, private):
    from repos.models import Access, Membership

    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    with pytest.raises(Denied):
        resolved(charlie, lines, a=Choices(rest="ours"))


def test_choices_outlive_a_push_that_does_not_touch_their_file(alice, parted, lines):
    found = found_of(lines)
    (file,) = found.files
    assert choosing.save(lines, alice, found, file, {0: Choice("value", "mine")}) == {}
    parted.writer.commit({"else.txt": "x"})
    after = found_of(lines)
    assert after.theirs != found.theirs
    assert choosing.chosen(lines, alice, after.files[0]).of(0) == Choice("value", "mine")
    assert choosing.undecided(lines, alice, after) == {after.files[0].digest: 0}
    resolved(alice, lines, a=choosing.chosen(lines, alice, after.files[0]))
    assert not Chosen.objects.exists()


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "word", "expected"),
    [
        ({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": None}, "ours", "2\n"),
        ({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": None}, "theirs", None),
        ({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": None}, "base", "1\n"),
        ({"a.txt": b"\0" * 9}, {"a.txt": b"\0" * 9 + b"1"}, {"a.txt": b"\0" * 9 + b"2"}, "remove", None),
        ({"a.txt": b"\0" * 9}, {"a.txt": b"\0" * 9 + b"1"}, {"a.txt": b"\0" * 9 + b"2"}, "theirs", "\0" * 9 + "2\n"),
    ],
)
def test_a_side_is_taken_of_what_git_cannot_take_apart(alice, parted, base, ours, theirs, word, expected):
    pull = parted(base | {"b.txt": "b"}, ours, theirs)
    told = resolved(alice, pull, a=Choices({0: Choice(word)}))
    assert told["state"] == "done"
    listed = parted.writer.git("ls-tree", "--name-only", "work").split()
    assert ("a.txt" in listed) is (expected is not None)
    if expected is not None:
        assert show(parted, "a.txt").rstrip("\n") == expected.rstrip("\n")


def test_a_mode_is_a_side_too(alice, parted):
    pull = parted({"b": "b"}, {"a.txt": ("100755", "same\n")}, {"a.txt": "same\n"})
    told = resolved(alice, pull, a=Choices({0: Choice("ours")}))
    assert told["state"] == "done"
    assert parted.writer.git("ls-tree", "work", "a.txt").startswith("100755")


def test_both_renamed_it(alice, parted):
    pull = parted({"a.txt": LINES}, {"a.txt": None, "b.txt": LINES}, {"a.txt": None, "c.txt": LINES})
    found = found_of(pull)
    assert [file.path for file in found.files] == ["b.txt", "c.txt"]
    assert [file.path for file in found.gone] == ["a.txt"]
    resolved(alice, pull, b=Choices({0: Choice("ours")}), c=Choices({0: Choice("ours")}))
    assert parted.writer.git("ls-tree", "--name-only", "work").split() == ["b.txt"]


def test_a_file_where_the_other_has_a_folder(alice, parted):
    pull = parted({"b": "b"}, {"a.txt": "file\n"}, {"a.txt/x": "inside\n"})
    found = found_of(pull)
    (file,) = found.files
    asked = Order(found.ours, found.theirs, {file.digest: Choices(rest="ours")})
    assert resolving.answer(resolving.begin(as_actor(alice), pull, asked))["state"] == "done"
    assert "inside" in show(parted, "a.txt/x")
    assert show(parted, file.path) == "file\n"


def test_the_base_of_histories_that_crossed_is_made_again(alice, parted):
    pull = parted({"a.txt": "0\n"}, {"a.txt": "1\n"}, {"a.txt": "2\n"})
    made = parted.writer
    ours, theirs = made.tips["work"], made.tips["main"]
    made.commit({"a.txt": "3\n"}, branch="work", merge=theirs)
    made.commit({"a.txt": "4\n"}, branch="main", merge=ours)
    found = found_of(pull)
    assert found.files[0].base
    assert resolved(alice, pull, a=Choices(rest="theirs"))["state"] == "done"
    assert show(parted, "a.txt") == "4\n"


def test_line_ends_and_an_open_last_line_stay(alice, parted):
    pull = parted({"a.txt": "a\r\nb\r\nc"}, {"a.txt": "a\r\nb\r\nC"}, {"a.txt": "a\r\nb\r\nD"})
    assert resolved(alice, pull, a=Choices({0: Choice("both")}))["state"] == "done"
    assert parted.writer.git("cat-file", "blob", "work:a.txt").encode() == b"a\r\nb\r\nC\r\nD"


def test_what_is_typed_has_a_limit_in_all(alice, lines, monkeypatch):
    found = listing.listing(lines, *listing.tips(lines), user_id=None)
    (file,) = found.files
    monkeypatch.setattr(choosing, "MAX_ALL_CHARACTERS", 10)
    assert choosing.save(lines, alice, found, file, {0: Choice("value", "mine")}) == {}
    with pytest.raises(Unprocessable, match="in all"):
        choosing.save(lines, alice, found, file, {0: Choice("value", "1234567")})
    assert choosing.chosen(lines, alice, file).of(0).text == "mine"
