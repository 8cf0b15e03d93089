"""Bombs and noise: every parser ends soon, with flat memory, and says something."""

from __future__ import annotations

import io
import json
import resource
import time

import numpy
import pyarrow
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from hub.lib import sandbox
from hub.lib.previews import Bytes, render
from hub.lib.previews.preview import MIB
from tests.harmless import faults


def show(path: str, data: bytes):
    return render(path, Bytes(data), raw_url="/raw")


def parquet_bomb() -> bytes:
    """A gigabyte of text in a few kilobytes: one long word, a million times."""
    words = pyarrow.DictionaryArray.from_arrays(pyarrow.array(numpy.zeros(1_000_000, dtype=numpy.int32)), ["x" * 1_000])
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": words}), sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def notebook(*cells: dict) -> bytes:
    return json.dumps({"nbformat": 4, "cells": cells}).encode()


def html_output(html: str) -> dict:
    return {"cell_type": "code", "outputs": [{"output_type": "display_data", "data": {"text/html": html}}]}


def billion_laughs() -> bytes:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines).encode()


BOMBS = {
    "deep.json": lambda: b"[" * 1_000_000,
    "wide.json": lambda: b"[" + b"1," * 900_000 + b"1]",
    "keys.json": lambda: json.dumps({str(i): i for i in range(100_000)}).encode(),
    "digits.json": lambda: b"9" * 1_900_000,
    "laughs.yaml": billion_laughs,
    "deep.yaml": lambda: b"[" * 500_000,
    "deep2.yaml": lambda: b"- " * 500_000,
    "merge.yaml": lambda: b"? " * 300_000,
    "one-field.csv": lambda: b'"' + b"x" * 2_000_000,
    "columns.csv": lambda: b"," * 2_000_000,
    "rows.csv": lambda: b"\n" * 2_000_000,
    "quotes.csv": lambda: b'"' * 2_000_000,
    "large.csv": lambda: b"a,b\n" * 5_000_000,
    "deep.jsonl": lambda: b"[" * 1_000_000 + b"\n{}",
    "columns.jsonl": lambda: b"\n".join(json.dumps({f"k{i}-{j}": 1 for j in range(200)}).encode() for i in range(300)),
    "bomb.parquet": parquet_bomb,
    "deep.ipynb": lambda: b'{"nbformat":4,"cells":' + b"[" * 1_000_000,
    "cells.ipynb": lambda: notebook(*[{"cell_type": "markdown", "source": "# a\n" * 3000}] * 300),
    "html.ipynb": lambda: notebook(*[html_output("<div>" * 90_000)] * 10),
    "header.safetensors": lambda: (9 * MIB).to_bytes(8, "little") + b"[" * (9 * MIB),
    "lies.safetensors": lambda: (2**63).to_bytes(8, "little") + b"{}",
    "shape.safetensors": lambda: _tensor_header({"w": {"dtype": "F", "shape": [2**60] * 1000, "data_offsets": [0, 1]}}),
    "memo.pkl": lambda: b"\x80\x04" + b"]\x94" * 1_000_000,
    "string.pkl": lambda: b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"x",
    "long-line.js": lambda: b"a(" * 900_000,
    "regex.py": lambda: b"'" + b"\\\\" * 400_000,
    "bomb.md": lambda: b"[a](" * 250_000,
    "tags.md": lambda: b"<b id=1><p>" * 150_000,
}


def _tensor_header(header: dict) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_soon_with_flat_memory(name):
    data = BOMBS[name]()
    show("warm.md", b"# up")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time(), time.monotonic()
    preview = show(name, data)
    assert preview.html or preview.note
    assert (
        faults(preview.html.replace(' tabindex="0" role="region"', "").replace(' id="L', ' id="user-content-L')) == []
    )
    # The sandbox's clock is wall time; ours must stay small even on a busy machine.
    assert time.process_time() - start[0] < 8
    assert time.monotonic() - start[1] < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes


KINDS = [
    f"a.{end}"
    for end in ["csv", "tsv", "json", "yaml", "jsonl", "ipynb", "md", "safetensors", "pkl", "pt", "parquet", "py"]
]
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
outputs = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "error", "display_data"])},
    optional={
        "data": st.dictionaries(st.sampled_from(["text/html", "image/png", "text/plain"]), json_values),
        "text": json_values,
        "traceback": json_values,
    },
)
cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | json_values,
        "source": json_values | st.lists(st.text(max_size=9), max_size=3),
        "outputs": json_values | st.lists(outputs, max_size=3),
        "attachments": json_values,
        "execution_count": json_values,
    },
)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@relaxed
@given(st.sampled_from(KINDS), st.binary(max_size=400))
def test_noise_is_shown_somehow(name, data):
    preview = show(name, data)
    assert preview.kind
    assert preview.html


@relaxed
@given(st.sampled_from(["a.csv", "a.tsv", "a.yaml", "a.jsonl", "a.md", "a.py"]), st.text(max_size=200))
def test_any_text_is_shown_somehow(name, text):
    assert show(name, text.encode("utf-8", "surrogatepass")).html


@relaxed
@given(st.lists(cells, max_size=4), json_values)
def test_any_notebook_is_shown_harmlessly(content, metadata):
    data = json.dumps({"nbformat": 4, "metadata": metadata, "cells": content}).encode()
    preview = show("n.ipynb", data)
    assert preview.kind == "notebook", preview.note
    assert faults(preview.html) == []


@relaxed
@example({})
@given(st.dictionaries(st.text(max_size=6), json_values, max_size=4))
def test_any_tensor_header_is_shown_somehow(header):
    assert show("m.safetensors", _tensor_header(header)).html


# ---- the sandbox itself ------------------------------------------------------------------------
def test_a_slow_child_is_stopped_and_the_next_one_works():
    start = time.monotonic()
    with pytest.raises(sandbox.Overrun):
        sandbox.call("hub.lib.previews.trees:tree", b"[" + b"{}," * 600_000 + b"{}]", format="yaml", seconds=0.2)
    assert time.monotonic() - start < 10
    assert sandbox.call("hub.lib.previews.trees:tree", b"[1]", format="json")["html"]


def test_a_greedy_child_is_stopped():
    with pytest.raises(sandbox.Overrun):
        sandbox.call("hub.lib.previews.texts:plain", b"x" * 20_000_000, filename="x", memory_bytes=60 * MIB)


def test_only_previews_may_be_called():
    with pytest.raises((sandbox.Unreadable, sandbox.Overrun)):
        sandbox.call("os:listdir", b"/")


def test_a_helper_that_died_is_started_again():
    sandbox.call("hub.lib.previews.trees:tree", b"[1]", format="json")
    process = sandbox.previews._process
    assert process
    process.kill()
    process.wait()
    # What it needs to load its modules again is not taken from the call's own time.
    assert sandbox.call("hub.lib.previews.trees:tree", b"[1]", format="json", seconds=0.2)["html"]
