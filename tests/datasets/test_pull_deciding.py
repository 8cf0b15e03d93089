"""Conflicts in data are decided file by file, row by row, cell by cell; what comes out is stored before it is named."""

from __future__ import annotations

import hashlib
import json

import pytest

from datasets import objects, results
from datasets.dvc import keys
from datasets.tracked.versions import blob_file
from hub.jobs import jobs
from hub.lib.errors import Conflict, Unprocessable
from repos.pulls import verdicts
from repos.pulls.conflicts import choosing, listing, places, resolving
from repos.pulls.conflicts.resolving import Order
from repos.pulls.drivers import Choice, Choices, NotKept
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again, deliver, propose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("git_root", "nothing_kept")]
TABLE = "id,name,age\n1,ann,30\n2,bo,40\n3,cy,50\n"
KEY = {".covey/config.yml": "datasets:\n  keys:\n    '*.csv': id\n"}
OURS = TABLE.replace("bo,40", "bo,41").replace("ann", "anna")
THEIRS = TABLE.replace("bo,40", "bo,42").replace("cy", "cyd")


class Parted:
    """A pull request whose branches are in conflict."""

    def __init__(self, user, private, made, base, ours, theirs):
        first = made.commit(base, "Base")
        made.commit(ours, "Ours", branch="work", start=first)
        made.commit(theirs, "Theirs")
        private.refresh_from_db()
        self.user, self.made, self.pull = user, made, again(user, propose(user, private))

    def found(self):
        ours, theirs = listing.tips(self.pull)
        found = listing.listing(self.pull, ours, theirs, user_id=None)
        if found is None:
            (job,) = listing.Job.objects.filter(kind=listing.LOOK, state="queued")
            jobs.run(job.pk)
            found = listing.listing(self.pull, ours, theirs, user_id=None)
        return found

    def places(self, start=0, limit=50):
        found = self.found()
        return places.of(self.pull.repository, found, found.files[0], start, limit)

    def resolve(self, rest="", **chosen):
        """chosen: p<number> → a word, or (word, text). The answer of the job."""
        made = {int(name[1:]): Choice(*((one,) if isinstance(one, str) else one)) for name, one in chosen.items()}
        found = self.found()
        choices = {file.digest: Choices(made, rest) for file in found.files}
        job = resolving.begin(as_actor(self.user), self.pull, Order(found.ours, found.theirs, choices))
        jobs.run(job.pk)
        job.refresh_from_db()
        return resolving.answer(job)

    def show(self, path):
        return self.made.git("show", f"work:{path}") + "\n"


@pytest.fixture
def parted(alice, private, writer):
    """parted(base, ours, theirs) → a Parted; files as for Writer.commit."""
    made = writer(private)
    return lambda base, ours, theirs: Parted(alice, private, made, base, ours, theirs)


@pytest.fixture
def stored(private, tmp_path):
    """stored(oid) → the bytes that the repository keeps under it."""

    def read(oid):
        blob = objects.find(private.pk, keys.BUCKET, keys.key_of(oid))
        return blob_file(blob, tmp_path / "stored").read_bytes()

    return read


@pytest.fixture
def pointer(private, keep):
    """pointer(text, path=) → the .dvc file of a file that is here."""

    def make(text: str, path: str = "people.csv") -> str:
        return f"outs:\n- md5: {keep(private, text.encode())}\n  size: {len(text)}\n  hash: md5\n  path: {path}\n"

    return make


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


# ---- tables ------------------------------------------------------------------------------------
def test_a_cell_is_decided_and_all_else_goes_together(alice, parted):
    it = parted({"people.csv": TABLE} | KEY, {"people.csv": OURS}, {"people.csv": THEIRS})
    (place,) = it.places()
    assert (place.where, place.base, place.ours, place.theirs) == ("id 2, age", "40", "41", "42")
    assert place.may == ("ours", "theirs", "base", "value")
    assert it.resolve(p0=("value", "45"))["state"] == "done"
    assert it.show("people.csv") == "id,name,age\n1,anna,30\n2,bo,45\n3,cyd,50\n"
    deliver()
    pull = again(alice, it.pull)
    assert verdicts.verdict(pull.repository, *listing.tips(pull)[::-1], user_id=None).clean


def test_a_table_behind_a_pointer_becomes_a_new_object_that_is_here(parted, pointer, stored):
    files = [{"people.csv.dvc": pointer(text)} for text in (TABLE, OURS, THEIRS)]
    it = parted(files[0] | KEY, *files[1:])
    assert [place.where for place in it.places()] == ["people.csv: id 2, age"]
    assert it.resolve(p0="theirs")["state"] == "done"
    wanted = OURS.replace("bo,41", "bo,42").replace("cy", "cyd").encode()
    assert f"md5: {md5(wanted)}" in it.show("people.csv.dvc")
    assert stored(md5(wanted)) == wanted


@pytest.mark.parametrize(
    ("choice", "told"),
    [(Choice("value", "many"), "whole number"), (Choice("both"), "Choose one of"), (Choice("value", "\ud800"), "kept")],
)
def test_what_cannot_be_a_value_is_told_before_it_is_kept(alice, parted, choice, told):
    it = parted({"people.csv": TABLE} | KEY, {"people.csv": OURS}, {"people.csv": THEIRS})
    found = it.found()
    assert told in choosing.save(it.pull, alice, found, found.files[0], {0: choice})[0]


def test_a_value_that_got_past_is_refused_by_the_worker_and_nothing_is_written(parted):
    it = parted({"people.csv": TABLE} | KEY, {"people.csv": OURS}, {"people.csv": THEIRS})
    tip = it.made.git("rev-parse", "work")
    told = it.resolve(p0=("value", "many"))
    assert (told["state"], told["code"]) == ("failed", 422)
    assert "id 2: 'many' is not a whole number." in told["error"]
    assert it.made.git("rev-parse", "work") == tip


@pytest.mark.parametrize("bad", ["id,name,age\n1,ann,30\n1,twice,40\n", "nr,name\n1,a\n", ""])
def test_a_table_that_cannot_be_taken_apart_is_lines(parted, bad):
    it = parted({"people.csv": TABLE} | KEY, {"people.csv": bad or "x"}, {"people.csv": THEIRS})
    assert it.found().files[0].kind == "text"


def test_rows_that_one_side_removed(parted):
    theirs = TABLE.replace("2,bo,40\n", "")
    it = parted({"people.csv": TABLE} | KEY, {"people.csv": OURS}, {"people.csv": theirs})
    (place,) = it.places()
    assert (place.kind, place.theirs, place.may) == ("row", None, ("ours", "theirs", "base"))
    assert it.resolve(p0="theirs")["state"] == "done"
    assert it.show("people.csv") == OURS.replace("2,bo,41\n", "")


# ---- folders -----------------------------------------------------------------------------------
def test_files_of_a_folder_are_decided_one_by_one_and_both_may_stay(parted, folder_of, stored):
    same = {"kept": b"k"}
    it = parted(
        {"images.dvc": folder_of({"a.png": b"1", "b.png": b"1", "sub/c.png": b"1", **same})},
        {"images.dvc": folder_of({"a.png": b"2", "b.png": b"2", "mine": b"m", **same})},
        {"images.dvc": folder_of({"a.png": b"3", "b.png": b"33", "sub/c.png": b"33", **same})},
    )
    a, b, c = it.places()
    assert (a.where, a.path, a.suggested) == ("images/a.png", "images/a.png", "a-other.png")
    assert a.theirs == {"md5": md5(b"3"), "size": 1}
    assert (c.ours, c.theirs["size"]) == (None, 2)
    assert "both" in b.may
    assert "both" not in c.may
    assert it.resolve(p0="both", p1=("both", "new/b.png"), p2="ours")["state"] == "done"
    oid = it.show("images.dvc").split("md5: ")[1].split()[0]
    assert {one["relpath"]: one["md5"] for one in json.loads(stored(oid))} == {
        "a.png": md5(b"2"),
        "a-other.png": md5(b"3"),
        "b.png": md5(b"2"),
        "new/b.png": md5(b"33"),
        "kept": md5(b"k"),
        "mine": md5(b"m"),
    }
    assert "nfiles: 6" in it.show("images.dvc")
    assert "size: 7" in it.show("images.dvc")


@pytest.mark.parametrize("name", ["kept", "kept/x", "../x", ".git/x", "a"])
def test_a_name_that_is_taken_or_none_is_refused(parted, folder_of, name):
    sides = [{"images.dvc": folder_of({"a": one, "kept": b"k"})} for one in (b"1", b"2", b"3")]
    told = parted(*sides).resolve(p0=("both", name))
    assert (told["state"], told["code"]) == ("failed", 422)


def test_all_of_a_folder_in_pages(parted, folder_of):
    sides = [{"images.dvc": folder_of({f"{n:03}": b"%d" % n + one for n in range(120)})} for one in (b"", b"o", b"t")]
    it = parted(*sides)
    assert [place.where for place in it.places(100, 50)][-1] == "images/119"
    assert [place.number for place in it.places(49, 3)] == [49, 50, 51]
    with pytest.raises(Unprocessable, match=r"119 of 120"):
        it.resolve(p7="ours")
    assert it.resolve(rest="theirs", p7="ours")["state"] == "done"


def test_files_that_were_never_pushed_block_with_their_names(parted, folder_of, private, keep):
    it = parted(
        {"images.dvc": folder_of({"a": b"1"})},
        {"images.dvc": folder_of({"a": b"2"}, lacks="a")},
        {"images.dvc": folder_of({"a": b"3"})},
    )
    told = it.resolve(p0="ours")
    assert (told["code"], told["details"]) == (409, "Run: dvc push images.dvc")
    keep(private, b"2")
    assert it.resolve(p0="ours")["state"] == "done"


def test_a_list_that_was_never_pushed_blocks_before_anything_is_asked(parted, folder_of):
    lost = f"outs:\n- md5: {'e' * 32}.dir\n  hash: md5\n  path: images\n"
    it = parted({"images.dvc": folder_of({"a": b"1"})}, {"images.dvc": lost}, {"images.dvc": folder_of({"a": b"3"})})
    assert it.found().files[0].missing == (f"{'e' * 32}.dir",)
    with pytest.raises(Conflict, match="never pushed here"):
        it.resolve(rest="ours")


# ---- pointers and dvc.lock ---------------------------------------------------------------------
def test_one_object_is_a_side_with_its_size_and_md5(parted, pointer):
    files = [{"model.bin.dvc": pointer(text, "model.bin")} for text in ("1", "22", "333")]
    it = parted(*files)
    (place,) = it.places()
    assert (place.kind, place.path, place.may) == ("object", "model.bin", ("ours", "theirs", "base"))
    assert place.theirs == {"md5": md5(b"333"), "size": 3}
    assert it.resolve(p0="theirs")["state"] == "done"
    assert it.show("model.bin.dvc") == files[2]["model.bin.dvc"]


def lock(**stages: tuple[str, str]) -> str:
    text = "schema: '2.0'\nstages:\n"
    for name, (dep, out) in stages.items():
        text += f"  {name}:\n    cmd: python {name}.py\n    deps:\n    - path: in\n      md5: {dep * 32}\n"
        text += f"    outs:\n    - path: {name}.out\n      md5: {out * 32}\n"
    return text


def test_stages_are_decided_and_those_with_new_inputs_on_both_sides_need_repro(parted):
    it = parted(
        {"dvc.lock": lock(prepare=("a", "a"), train=("a", "a"))},
        {"dvc.lock": lock(prepare=("a", "b"), train=("b", "b"))},
        {"dvc.lock": lock(prepare=("a", "c"), train=("c", "c"))},
    )
    (place,) = it.places()
    assert (place.kind, place.where) == ("stage", "the stage prepare")
    assert "b" * 32 in place.ours
    (file,) = it.found().files
    assert file.opened.notes == ("Both sides changed the inputs of the stage train: run dvc repro after the merge.",)
    assert it.resolve(p0="theirs")["state"] == "done"
    assert it.show("dvc.lock") == lock(prepare=("a", "c"), train=("a", "a"))


def test_what_was_swept_is_made_again(parted, private):
    it = parted({"people.csv": TABLE} | KEY, {"people.csv": OURS}, {"people.csv": THEIRS})
    found = it.found()
    results.forget(private.pk)
    with pytest.raises(NotKept):
        it.places()
    listing.look_again(it.pull, found.ours, found.theirs, user_id=None)
    assert it.found() == found
    assert len(it.places()) == 1
