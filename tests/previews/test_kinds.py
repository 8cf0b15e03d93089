"""Every kind of file is shown as people expect, whatever its bytes."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile

import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from hub.lib.previews import Bytes, Preview, kind_of, render
from tests.harmless import faults


def show(path: str, data: bytes | str, **options) -> Preview:
    source = Bytes(data.encode() if isinstance(data, str) else data)
    places = {"raw_url": f"/o/n/raw/main/{path}", "link_base": "/o/n/tree/main/", "raw_base": "/o/n/raw/main/"}
    return render(path, source, **{**places, **options})


def safetensors(header: dict, body: bytes = b"\0" * 24) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def parquet_bytes(table: pyarrow.Table, **options) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/previews-pwned",))


TORCH = io.BytesIO()
with zipfile.ZipFile(TORCH, "w") as archive:
    archive.writestr("archive/data.pkl", pickle.dumps(Evil()))

SHOWN = [
    ("README.md", "# Hi\n[x](y.md) ![p](p.png)", "markdown", 'src="/o/n/raw/main/p.png"'),
    ("docs/a.md", "[x](y.md)", "markdown", 'href="/o/n/tree/main/docs/y.md"'),
    ("train.py", "def f():\n    return 1\n", "code", '<span class="k">def</span>'),
    ("noext", "a < b\n", "code", "a &lt; b"),
    ("a.csv", 'name,note\nx,"a, ""b""\nc"\n', "table", "<td>a, &quot;b&quot;\nc</td>"),
    ("a.tsv", "a\tb\n1\t2\n", "table", "<td>2</td>"),
    ("a.csv", "a;b\n1,5;2\n", "table", "<td>1,5</td>"),
    ("a.jsonl", '{"a": 1}\n{"b": [2]}\n', "table", "<td>[2]</td>"),
    ("a.parquet", parquet_bytes(pyarrow.table({"n": [1, 2], "s": ["<b>", None]})), "table", "<td>&lt;b&gt;</td>"),
    ("a.json", '{"a": [1, null, "<b>"]}', "tree", "&lt;b&gt;"),
    ("params.yaml", "train:\n  lr: 0.1\n", "tree", "0.1"),
    ("m.safetensors", safetensors({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}), "model", "2 × 3"),
    ("m.pkl", pickle.dumps(Evil()), "pickle", "posix.system"),
    ("m.pkl", pickle.dumps(Evil(), protocol=2), "pickle", "posix.system"),
    ("m.pt", TORCH.getvalue(), "pickle", "posix.system"),
    ("x.png", b"\x89PNG\0", "image", 'src="/o/n/raw/main/x.png"'),
    ("x.svg", "<svg onload=alert(1)>", "image", 'src="/o/n/raw/main/x.svg"'),
    ("x.mp3", b"ID3\0", "audio", 'preload="none"'),
    ("x.mp4", b"\0\0", "video", 'preload="none"'),
    ("x.pdf", b"%PDF\0", "pdf", 'href="/o/n/raw/main/x.pdf"'),
    ("x.bin", b"\0\1\2abc", "binary", "00 01 02 61 62 63"),
    ("empty.csv", b"", "empty", "empty"),
]


@pytest.mark.parametrize(("path", "data", "kind", "expected"), SHOWN)
def test_it_shows(path, data, kind, expected):
    preview = show(path, data)
    assert (preview.kind, kind_of(path, data.encode() if isinstance(data, str) else data)) == (kind, kind)
    assert expected in preview.html


def test_an_image_that_no_browser_draws_says_so():
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    preview = show("map.png", out.getvalue())
    assert preview.kind == "large"
    assert "20,000 × 20,000 pixels" in preview.note
    assert "<img" not in preview.html
    assert 'href="/o/n/raw/main/map.png" download="map.png"' in preview.html


def test_pickles_are_named_dangerous_and_never_loaded():
    assert show("m.pkl", pickle.dumps(Evil())).warning
    assert not os.path.exists("/tmp/previews-pwned")


def test_a_file_name_is_text():
    preview = show('x"><script>alert(1)</script>.png', b"\x89PNG\0", raw_url='/raw/"><script>')
    assert "<script>" not in preview.html


def test_code_has_lines():
    preview = show("a.py", "x = '''\n\n'''\n")
    assert len(preview.lines) == 3
    assert 'id="L3"' in preview.html
    assert show("a.py", "x = 1").lines == show("a.py", "x = 1\n").lines


def test_source_is_shown_when_asked_for():
    for path, data in [("a.md", "# Hi"), ("a.csv", "a,b\n"), ("a.json", "{}"), ("a.svg", "<svg/>"), ("a.ipynb", "{}")]:
        assert show(path, data, as_source=True).kind == "code"
    assert show("a.csv", "a,b\n").has_source
    assert not show("a.py", "x").has_source


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("a.json", "{nonsense", "not valid JSON"),
        ("a.yaml", "a: [1\nb", "not valid YAML"),
        ("a.yaml", "a: &x [1]\nb: *x", "aliases"),
        ("a.ipynb", "[]", "not a notebook"),
        ("a.parquet", b"PAR1\0\0", "not a Parquet file"),
        ("m.safetensors", b"\xff" * 40, "damaged"),
        ("a.csv", b"a,b\n\xe9,2\n", "Latin-1"),
        ("a.csv", "a,b\n1\n1,2,3\n", "more or fewer cells"),
        ("a.csv", "a\n" + "1\n" * 500, "first 200 rows"),
        ("a.jsonl", '{"a": 1}\nnonsense\n', "not JSON"),
        ("a.py", "x\n" * 20_000, "first 10,000 lines"),
        ("a.txt", "x" * 80 + "\n" + "line\n" * 500_000, "first 2 MiB"),
        ("a.ipynb", b" " * (11 << 20), "larger than"),
    ],
)
def test_what_cannot_be_shown_is_said(path, data, words):
    assert words in show(path, data).note


def test_utf16_and_marks_are_text():
    assert "<td>é</td>" in show("a.csv", "a\né\n".encode("utf-16")).html
    assert '<th scope="col" title="">a</th>' in show("a.csv", b"\xef\xbb\xbfa\n1\n").html


# ---- notebooks ---------------------------------------------------------------------------------
def notebook(*cells: dict, **options) -> Preview:
    return show(
        "n.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}), **options
    )


def output(**data: object) -> dict:
    return {"cell_type": "code", "source": "", "outputs": [{"output_type": "display_data", "data": data}]}


LIVE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><use href='#x'/></svg>"
HOSTILE = [
    {"cell_type": "markdown", "source": LIVE},
    {"cell_type": "markdown", "source": ["![x](attachment:a.svg)"], "attachments": {"a.svg": {"image/svg+xml": SVG}}},
    {"cell_type": "markdown", "source": "![x](/etc/passwd) ![y](file:///etc/passwd) ![z](http://evil.example/x.png)"},
    {"cell_type": "raw", "source": LIVE},
    {"cell_type": "code", "source": LIVE, "outputs": []},
    {"cell_type": "code", "source": "", "outputs": [{"output_type": "stream", "name": "stderr", "text": [LIVE]}]},
    {"cell_type": "code", "source": "", "outputs": [{"output_type": "error", "traceback": [LIVE], "ename": LIVE}]},
    {"cell_type": "code", "execution_count": LIVE, "source": "", "outputs": []},
    output(**{"text/html": LIVE}),
    output(**{"text/html": "<style>@import '//evil.example'</style><iframe srcdoc='x'></iframe><b onclick=x>y</b>"}),
    output(**{"application/javascript": "alert(1)", "text/plain": LIVE}),
    output(**{"image/png": '"><script>alert(1)</script>'}),
    output(**{"image/png": "aGk=", "text/html": LIVE}),
    output(**{"text/latex": "$\\text{<script>alert(1)</script>}$"}),
    output(**{"text/markdown": LIVE}),
    output(**{"application/vnd.plotly.v1+json": {"data": LIVE}}),
    {"cell_type": LIVE, "source": LIVE, "metadata": {"name": LIVE}},
]


@pytest.mark.parametrize("cell", HOSTILE)
def test_notebooks_run_and_fetch_nothing(cell):
    preview = notebook(cell)
    assert preview.kind == "notebook"
    assert faults(preview.html) == []


def test_a_drawing_is_an_image():
    html = notebook(output(**{"image/svg+xml": SVG})).html
    assert '<img src="data:image/svg+xml;base64,' in html
    assert "<svg" not in html


def test_notebooks_show_their_cells():
    html = notebook(
        {"cell_type": "markdown", "source": ["# A\n", "$x^2$"]},
        {
            "cell_type": "code",
            "execution_count": 7,
            "source": "print(1)",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": "\x1b[31m1\x1b[0m\n"},
                {
                    "output_type": "execute_result",
                    "data": {"text/html": "<table class='dataframe'><tr><td>1</td></tr></table>"},
                },
            ],
        },
    ).html
    for expected in [
        "<h1",
        "<msup>",
        "[7]",
        '<pre class="cell-stdout" tabindex="0">1\n</pre>',
        '<table class="dataframe">',
    ]:
        assert expected in html


def test_old_notebooks_are_converted():
    sheet = {"cells": [{"cell_type": "markdown", "source": "# Old", "metadata": {}}], "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [sheet]}
    assert "Old</h1>" in show("n.ipynb", json.dumps(old)).html
