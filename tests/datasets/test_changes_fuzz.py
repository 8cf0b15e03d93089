"""Hostile files through the workers that compare: a sentence or an answer within bounds, never anything else."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datasets.media import images, sounds
from hub.lib.previews import notebook_changes, tree_changes

CHILD_CATCHES = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError)
EXAMPLES = settings(max_examples=60, deadline=None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)


def answer_or_sentence(make: Callable[[], dict[str, Any]]) -> dict[str, Any] | str:
    """What the child would answer: one of these errors is a sentence, anything else would be a crash."""
    try:
        return make()
    except ValueError as error:
        return str(error)
    except CHILD_CATCHES as error:
        return f"At base: {type(error).__name__}"


def structure(base: bytes, head: bytes, **options: Any) -> dict[str, Any]:
    found = tree_changes.changes(base + head, at=len(base), **({"format": "json"} | options))
    json.dumps(found)
    return found


@EXAMPLES
@given(VALUES, VALUES)
def test_values_differ_exactly_when_their_text_does(one, other):
    found = structure(json.dumps(one).encode(), json.dumps(other).encode())
    count = found["added"] + found["removed"] + found["changed"]
    assert (count == 0) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
    back = structure(json.dumps(other).encode(), json.dumps(one).encode())
    assert (back["added"], back["removed"]) == (found["removed"], found["added"])


@EXAMPLES
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.sampled_from(["json", "yaml"]))
def test_any_bytes_are_a_structure_or_a_sentence(data, format):
    for base, head in ((data, b"{}"), (b"[1]", data)):
        found = answer_or_sentence(partial(structure, base, head, format=format))
        assert isinstance(found, dict) or found.startswith(("At base: ", "At head: "))


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("json", b"[" * 100_000),
        ("json", b'{"a":' * 800 + b"1" + b"}" * 800),
        ("json", b"9" * 10_000),
        ("yaml", b"a: &a [x]\nb: [*a, *a]\n"),
        ("yaml", b"- " * 500 + b"x"),
        ("yaml", b"? [1, 2]\n: x\n2026-99-99: y\n.nan: .inf\n? {a: b}\n: c\n"),
        ("yaml", b"!!python/object/apply:os.system ['true']"),
        ("yaml", b"--- 1\n--- 2\n"),
    ],
)
def test_bombs_and_strange_values(format, data):
    assert answer_or_sentence(partial(structure, b"{}", data, format=format))


def test_records_stand_for_those_they_are_most_alike():
    cars = [{"name": f"car {n}", "origin": "USA" if n % 3 else "Japan", "power": n} for n in range(60)]
    fewer = [{**car, "origin": car["origin"].lower()} for n, car in enumerate(cars) if n not in {7, 30, 31}]
    found = structure(json.dumps(cars).encode(), json.dumps(fewer).encode())
    assert (found["added"], found["removed"], found["changed"]) == (0, 3, 57)
    assert [change["path"] for change in found["changes"] if change["what"] == "removed"] == ["[7]", "[30]", "[31]"]


def test_what_a_long_list_begins_and_ends_with_is_the_same():
    items = list(range(5_000))
    found = structure(json.dumps(items).encode(), json.dumps(items[:40] + items[41:]).encode())
    assert [(change["what"], change["path"], change["old"]) for change in found["changes"]] == [
        ("removed", "[40]", "40")
    ]


def test_long_lists_and_many_changes_are_bounded():
    found = structure(json.dumps(list(range(5_000))).encode(), json.dumps(list(range(1, 5_001))).encode())
    assert (found["changed"], len(found["changes"])) == (5_000, tree_changes.MAX_CHANGES)
    assert found["left_out"] == 5_000 - tree_changes.MAX_CHANGES
    long = structure(b'{"a": "x"}', json.dumps({"a": "y" * 100_000, "k" * 10_000: 1}).encode())
    assert all(len(change["path"]) <= 501 and len(change["new"]) <= 201 for change in long["changes"])


CELLS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "cell_type": st.sampled_from(["code", "markdown", "raw", 7]),
            "source": st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3) | st.integers(),
            "id": st.sampled_from(["a", "b", 3]),
            "outputs": st.lists(VALUES, max_size=2) | VALUES,
        },
    ),
    max_size=6,
)


@EXAMPLES
@given(CELLS, CELLS)
def test_cells_of_any_shape(one, other):
    base, head = (json.dumps({"nbformat": 4, "cells": cells}).encode() for cells in (one, other))
    found = notebook_changes.changes(base + head, at=len(base))
    olds = sorted(cell["old"] for cell in found["cells"] if cell["old"])
    news = sorted(cell["new"] for cell in found["cells"] if cell["new"])
    assert (olds, news) == (list(range(1, len(one) + 1)), list(range(1, len(other) + 1)))
    same = notebook_changes.changes(base + base, at=len(base))
    assert {cell["what"] for cell in same["cells"]} <= {"unchanged"}


@EXAMPLES
@given(VALUES)
def test_any_json_is_a_notebook_or_a_sentence(value):
    data = json.dumps(value).encode()
    with pytest.raises(ValueError, match="At base: This is not a notebook"):
        notebook_changes.changes(data + data, at=len(data))


@cache
def valid(format: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).convert("RGB").save(out, format)
    return out.getvalue()


@cache
def sound(format: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, numpy.sin(numpy.arange(4000) / 9), 8000, format=format)
    return out.getvalue()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]), st.data())
def test_damaged_images(tmp_path_factory, format, data):
    folder: Path = tmp_path_factory.mktemp("image")
    whole = bytearray(valid(format))
    (folder / "base").write_bytes(whole)
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    (folder / "head").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    sides = {side: folder / side for side in ("base", "head")}
    found = answer_or_sentence(partial(images.compare, sides, folder, lambda *_: None))
    if isinstance(found, str):
        assert found
    else:
        json.dumps(found)
        assert 0 <= found["pixels_visible"] <= found["pixels_changed"] <= found["pixels"]


def test_wide_images_are_compared_by_one_scale(tmp_path):
    for side, top in (("base", 1000), ("head", 2000)):
        values = numpy.full((8, 8), 500, dtype="uint16")
        values[0, 0] = top
        Image.fromarray(values).save(tmp_path / side, "PNG")
    found = images.compare({side: tmp_path / side for side in ("base", "head")}, tmp_path, lambda *_: None)
    assert found["pixels_changed"] == 1


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]), st.data())
def test_damaged_sounds(tmp_path_factory, format, data):
    folder: Path = tmp_path_factory.mktemp("sound")
    whole = bytearray(sound(format))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    (folder / "base").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    found = answer_or_sentence(partial(sounds.compare, {"base": folder / "base"}, folder, lambda *_: None))
    if isinstance(found, str):
        assert found.startswith("At base: ")
    else:
        json.dumps(found)
        assert len(found["sides"]["base"]["peaks"]) <= sounds.PEAKS
