"""Diffs of files that are no tables: lines, values of JSON and YAML, cells of notebooks, bytes. In git and in DVC."""

from __future__ import annotations

import base64
import gzip
import json
import os
from typing import Any

import pytest

from datasets import sandboxed
from datasets.dvc import manifests
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.datasets.test_diff_files import ADDRESS

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def notebook(*cells: dict[str, Any]) -> bytes:
    about = {"language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": cells}).encode()


def code(source: str, output: str = "", **more: Any) -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    return {"cell_type": "code", "source": source, "outputs": outputs, "execution_count": 1, "metadata": {}} | more


BOOK = notebook(code("import pandas", id="a"), code("x = 1\nprint(x)", "1", id="b"), code("gone()", id="c"))
BOOK2 = notebook(
    code("import pandas", id="a", execution_count=7),
    code("x = 2\nprint(x)", "2", id="b"),
    code("new_one(EVIL)", f"<b>{EVIL}</b>", id="d"),
)
FILES = {
    "notes.txt": (b"one\ntwo\nthree\n", b"one\nTWO\nthree\nfour\n"),
    "params.yaml": (b"lr: 0.1\nlayers: [1, 2, 3]\nold: true\n", b"lr: 0.2\nlayers: [1, 3]\nnew: [a]\n"),
    "metrics.json": (b'{"a": {"b": 1}, "list": [1, 2]}', b'{"a": {"b": "1"}, "list": [1, 2, null]}'),
    "explore.ipynb": (BOOK, BOOK2),
    "model.bin": (bytes(range(64)), bytes(range(63)) + b"\0\1"),
    "wide.txt": ("größe\n".encode("utf-16"), "Größe\n".encode("utf-16")),
    "notes.md.gz": (gzip.compress(b"one\ntwo\n", mtime=0), gzip.compress(b"one\nTWO\n", mtime=0)),
    "params.json.gz": (gzip.compress(b'{"lr": 1}', mtime=0), gzip.compress(b'{"lr": 2}', mtime=0)),
    "torn.txt.gz": (b"\x1f\x8b\x08\0torn", b"\x1f\x8b\x08\0other"),
    "broken.json": (b'{"a": 1}', b'{"a": '),
}


@pytest.fixture
def project(private, writer, keep):
    """Every file in git, in DVC (as dvc/NAME) and inside of a folder of DVC (folder/NAME)."""
    made = writer(private)
    for side in (0, 1):
        listed = [(name, keep(private, both[side])) for name, both in FILES.items()]
        files: dict[str, Any] = {name: both[side] for name, both in FILES.items()}
        files |= {f"dvc/{name}.dvc": pointer(oid, name) for name, oid in listed}
        files["folder.dvc"] = pointer(keep(private, manifests.dumps(listed), suffix=".dir"), "folder")
        files["lost.yaml.dvc"] = pointer(md5(b"lost %d" % side), "lost.yaml")
        made.commit(files | ({"only.txt": "here\n", "came.json": '{"x": [1]}'} if side else {}))
        if not side:
            made.git("tag", "v1")
    return made


def test_what_is_packed_is_compared_by_what_is_inside(project, as_user, bob):
    lines = ask(as_user(bob), "notes.md.gz")
    assert (lines["kind"], lines["hunks"][0]["lines"]) == ("text", [" one", "-two", "+TWO"])
    assert ask(as_user(bob), "dvc/params.json.gz")["summary"]["paths_changed"] == 1
    assert ask(as_user(bob), "torn.txt.gz")["kind"] == "bytes"


def test_a_packed_bomb_is_cut_off():
    bomb = gzip.compress(bytes(50_000_000))
    found = sandboxed.call("compressed:beginning", payload=bomb, limit=1_000)
    assert (len(base64.b64decode(found["data"])), found["cut"]) == (1_000, True)
    torn = sandboxed.call("compressed:beginning", payload=gzip.compress(os.urandom(500_000))[:300_000], limit=400_000)
    assert torn["cut"]
    assert len(base64.b64decode(torn["data"])) > 200_000


def ask(client: Any, path: str, **query: str) -> Any:
    response = client.get(f"{ADDRESS}/v1...main/{path}", {"format": "json", **query})
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("where", ["", "dvc/", "folder/"])
def test_lines_of_text(project, as_user, bob, where):
    answer = ask(as_user(bob), f"{where}notes.txt")
    assert (answer["kind"], answer["state"], answer["summary"]) == (
        "text",
        "done",
        {"lines_added": 2, "lines_removed": 1},
    )
    assert answer["hunks"][0]["lines"] == [" one", "-two", "+TWO", " three", "+four"]
    assert not Job.objects.exists()
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/{where}notes.txt"))
    assert "<mark>two</mark>" in page or ">two" in page
    assert 'class="diff diff-split"' in text(as_user(bob).get(f"{ADDRESS}/v1...main/{where}notes.txt?view=split"))


@pytest.mark.parametrize("where", ["", "dvc/", "folder/"])
def test_values_of_yaml_by_their_paths(project, as_user, bob, where):
    answer = ask(as_user(bob), f"{where}params.yaml")
    assert (answer["kind"], answer["left_out"]) == ("structure", 0)
    assert answer["summary"] == {"paths_added": 1, "paths_removed": 2, "paths_changed": 1}
    assert {(c["what"], c["path"], c["old"], c["new"]) for c in answer["changes"]} == {
        ("changed", "lr", "0.1", "0.2"),
        ("removed", "layers[1]", "2", None),
        ("removed", "old", "true", None),
        ("added", "new", None, '["a"]'),
    }
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/{where}params.yaml"))
    assert "layers[1]" in page
    lines = ask(as_user(bob), f"{where}params.yaml", **{"as": "text"})
    assert lines["kind"] == "text"


def test_values_of_json_keep_their_types(project, as_user, bob):
    changes = ask(as_user(bob), "metrics.json")["changes"]
    assert {"what": "changed", "path": "a.b", "old": "1", "new": '"1"'} in changes
    assert {"what": "added", "path": "list[2]", "old": None, "new": "null"} in changes


def test_what_is_not_json_is_compared_by_lines_and_says_so(project, as_user, bob):
    answer = ask(as_user(bob), "broken.json")
    assert answer["kind"] == "text"
    assert "At head: This is not valid JSON" in answer["note"]


@pytest.mark.parametrize("where", ["", "dvc/", "folder/"])
def test_cells_of_a_notebook(project, as_user, bob, where):
    answer = ask(as_user(bob), f"{where}explore.ipynb")
    assert answer["kind"] == "notebook"
    assert answer["summary"] == {
        "cells_added": 1, "cells_removed": 1, "cells_changed": 1, "cells_unchanged": 1, "outputs_changed": 1,
        "cells_moved": 0,
    }  # fmt: skip
    changed = next(cell for cell in answer["cells"] if cell["what"] == "changed")
    assert [line[0] + line[3] for line in changed["hunks"][0]["lines"]] == ["-x = 1", "+x = 2", " print(x)"]
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/{where}explore.ipynb"))
    assert EVIL not in page
    assert "1 cell unchanged" in page
    assert "new_one" in page


@pytest.mark.parametrize("named", [True, False])
def test_a_cell_that_stands_elsewhere_was_moved(private, writer, as_user, bob, named):
    texts = ["import pandas", "rows = 3", "plot(rows)", "print(7 * 9)", "del everything_else"]
    cells = [code(said, id=f"c{n}") if named else code(said) for n, said in enumerate(texts)]
    made = writer(private)
    made.commit({"n.ipynb": notebook(*cells)})
    made.git("tag", "v1")
    made.commit({"n.ipynb": notebook(cells[4], *cells[1:4], cells[0] | ({"source": "import numpy"} if named else {}))})
    answer = ask(as_user(bob), "n.ipynb")
    moved = {(cell["old"], cell["new"]): cell["what"] for cell in answer["cells"] if cell["moved"]}
    assert moved == {(5, 1): "moved", (1, 5): "changed" if named else "moved"}
    assert (answer["summary"]["cells_moved"], answer["summary"]["cells_added"]) == (2, 0)
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/n.ipynb"))
    assert "code, moved from 5" in page
    assert "3 cells unchanged" in page


def test_metadata_is_said_in_one_line(private, writer, as_user, bob):
    made = writer(private)
    made.commit({"n.ipynb": notebook(code("x", id="a"), code("y", id="b"))})
    made.git("tag", "v1")
    tagged = [code(name, id=id_, metadata={"tags": ["<b>"]}) for name, id_ in (("x", "a"), ("y", "b"))]
    book = json.loads(notebook(*tagged))
    book["metadata"]["kernelspec"] = {"name": "python3"}
    made.commit({"n.ipynb": json.dumps(book)})
    assert ask(as_user(bob), "n.ipynb")["summary"]["cells_unchanged"] == 2
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/n.ipynb"))
    assert "Metadata differs: kernelspec.name, tags of 2 cells." in page


def test_outputs_are_shown_as_in_the_preview(private, writer, as_user, bob):
    made = writer(private)
    picture = {"output_type": "display_data", "data": {"image/png": PIXEL, "text/html": EVIL}}
    made.commit({"n.ipynb": notebook(code("plot()", id="a"))})
    made.git("tag", "v1")
    made.commit({"n.ipynb": notebook(code("plot()", id="a", outputs=[picture]))})
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/n.ipynb"))
    assert f"data:image/png;base64,{PIXEL}" in page
    assert "alert(1)" not in page
    assert "other outputs" in page


def test_bytes_are_shown_in_hexadecimal(project, as_user, bob):
    answer = ask(as_user(bob), "model.bin")
    assert answer["kind"] == "bytes"
    assert [version["size"] for version in answer["versions"].values()] == [64, 65]
    assert answer["hexdump"]["head"][-1].startswith("00000040  01")
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/dvc/model.bin"))
    assert "00000030" in page
    assert "md5:" in page


def test_utf_16_is_text(project, as_user, bob):
    answer = ask(as_user(bob), "wide.txt")
    assert (answer["kind"], answer["summary"]["lines_added"]) == ("text", 1)
    assert answer["hunks"][0]["lines"] == ["-größe", "+Größe"]


def test_files_that_came(project, as_user, bob):
    assert ask(as_user(bob), "only.txt")["summary"] == {"lines_added": 1, "lines_removed": 0}
    assert ask(as_user(bob), "came.json")["changes"] == [{"what": "added", "path": "x", "old": None, "new": "[1]"}]


def test_what_was_never_pushed_says_which_and_how(project, as_user, bob):
    answer = ask(as_user(bob), "lost.yaml")
    assert (answer["state"], [lost["side"] for lost in answer["missing"]]) == ("missing", ["base", "head"])
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/lost.yaml"))
    assert "lost.yaml.dvc" in page
    assert "git checkout v1 dvc push git checkout main dvc push" in page


def test_white_space_can_be_ignored(private, writer, as_user, bob):
    made = writer(private)
    made.commit({"a.txt": "a b\n"})
    made.git("tag", "v1")
    made.commit({"a.txt": "a   b\n"})
    assert ask(as_user(bob), "a.txt", w="1")["summary"] == {"lines_added": 0, "lines_removed": 0}
    assert "No line differs but for white space" in text(as_user(bob).get(f"{ADDRESS}/v1...main/a.txt?w=1"))


def test_a_stranger_and_a_wrong_method(project, client, as_user, bob):
    for path in ("notes.txt", "params.yaml", "explore.ipynb", "model.bin"):
        assert client.get(f"{ADDRESS}/v1...main/{path}").status_code == 404
        assert as_user(bob).post(f"{ADDRESS}/v1...main/{path}").status_code == 405
