"""Headers of models are read in part, never loaded; whatever their bytes, there is an answer."""

from __future__ import annotations

import bz2
import collections
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.lib.previews import Bytes, kind_of, models, onnx, pickles, render
from repos.git import diff


@dataclass
class Far:
    """A source that says what was read of it."""

    data: bytes
    read: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.data)

    def head(self, limit: int) -> bytes:
        return self.part(0, min(limit, self.size))

    def part(self, start: int, end: int) -> bytes:
        self.read.append((start, end))
        return self.data[start:end]


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/previews-pwned",))


def show(path, data):
    return render(path, data if isinstance(data, Far) else Bytes(data), raw_url="/raw")


# ---- protobuf by hand --------------------------------------------------------------------------
def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def message(*fields: tuple[int, int | bytes | str]) -> bytes:
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def value_info(name: str, *shape: int | str) -> bytes:
    dims = [(1, message((1, d) if isinstance(d, int) else (2, d))) for d in shape]
    return message((1, name), (2, message((1, message((1, 1), (2, message(*dims)))))))


def model(weights: int = 1000) -> bytes:
    tensor = message((1, 10), (1, weights), (2, 1), (8, "dense.weight"), (9, b"\0" * (40 * weights)))
    graph = message(
        (1, message((1, "x"), (2, "y"), (4, "Gemm"))),
        (1, message((4, "Relu"))),
        (1, message((4, "Gemm"))),
        (2, "main"),
        (5, tensor),
        (11, value_info("x", "batch", 10)),
        (12, value_info("<b>y</b>", 1, 3)),
    )
    return message(
        (1, 8), (2, "pytorch"), (3, "2.4"), (7, graph), (8, message((2, 17))), (14, message((1, "k"), (2, "v")))
    )


def test_an_onnx_model_says_what_it_is():
    preview = show("m.onnx", model())
    assert preview.kind == "model"
    assert preview.note == "3 operators, 1 weights of 10,000 parameters."
    for text in ("pytorch 2.4", "ai.onnx 17", "Gemm", "batch × 10", "1 × 3", "dense.weight", "10 × 1000", "&lt;b&gt;y"):
        assert text in preview.html, text


def test_the_weights_of_onnx_are_not_read():
    far = Far(model(100_000))  # 4 MB of them
    assert "1,000,000 parameters" in show("m.onnx", far).note
    assert sum(end - start for start, end in far.read) < 200_000


def test_the_header_of_safetensors_alone_is_read():
    header = json.dumps({"w": {"dtype": "BF16", "shape": [500, 1000], "data_offsets": [0, 1_000_000]}}).encode()
    far = Far(len(header).to_bytes(8, "little") + header + b"\0" * 1_000_000)
    assert "500,000 parameters (1 of BF16)" in show("m.safetensors", far).note
    assert sum(end - start for start, end in far.read) < 20_000


def test_what_mlflow_says_of_a_model_is_a_table():
    text = (
        "flavors:\n  sklearn:\n    sklearn_version: 1.7.2\n  python_function:\n    loader_module: mlflow.sklearn\n"
        'model_uuid: m-1\nsignature:\n  inputs: \'[{"type": "double", "name": "<b>"}]\'\n'
    )
    preview = show("model/MLmodel", text.encode())
    assert (preview.kind, preview.has_source) == ("model", True)
    for part in ("sklearn", "1.7.2", "double", "&lt;b&gt;"):
        assert part in preview.html, part
    assert show("model/MLmodel", b"[1]").kind == "code"


# ---- pickles -----------------------------------------------------------------------------------
PACKED = {"zlib": zlib.compress, "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("packer", PACKED)
def test_a_packed_pickle_is_looked_into(packer):
    preview = show("m.joblib", PACKED[packer](pickle.dumps(Evil())))
    assert preview.warning
    assert "posix.system" in preview.html
    assert "runs code" in preview.html


def test_what_follows_the_first_pickle_is_read_too():
    data = pickle.dumps(1) + pickle.dumps({"a": 2}) + pickle.dumps(Evil())
    assert "posix.system" in show("model.pt", data).html


def test_verdicts_come_with_the_worst_first():
    data = pickle.dumps([collections.OrderedDict(), json.JSONDecoder.decode, Evil()])
    html = show("m.pkl", data).html
    assert html.index("runs code") < html.index("look twice") < html.index("usual")
    assert "imports nothing" in show("m.pkl", pickle.dumps([1])).note


def test_an_archive_of_torch_far_away_is_read_in_part():
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("m/data/0", b"\0" * 3_000_000)
        archive.writestr("m/data.pkl", pickle.dumps(Evil()))
    far = Far(body.getvalue())
    assert "posix.system" in show("pytorch_model.bin", far).html
    assert sum(end - start for start, end in far.read) < 500_000


def test_a_bomb_in_a_packed_pickle_is_an_answer():
    preview = show("m.joblib", zlib.compress(b"\x80\x04" + b"0" * 200_000_000))
    assert preview.kind == "pickle"
    assert preview.warning


@pytest.mark.parametrize(
    ("path", "data", "kind"),
    [
        ("m.safetensors", pickle.dumps(Evil()), "pickle"),
        ("weights.bin", pickle.dumps(Evil()), "pickle"),
        ("notes.md", pickle.dumps(Evil()), "pickle"),
        ("pytorch_model.bin", b"PK\x03\x04\0", "pickle"),
        ("data.bin", b"PK\x03\x04\0", "binary"),
        ("photo.png", b"<html><script>", "code"),
        ("photo.png", b"MZ\0\0", "binary"),
        ("photo.avif", b"\0\0\0\x20ftypavif", "image"),
        ("photo.svg", b"<svg/>", "image"),
        ("m/MLmodel", b"flavors: {}\n", "mlmodel"),
        ("m.onnx", b"\x08\x08", "onnx"),
    ],
)
def test_a_file_is_shown_as_what_it_is(path, data, kind):
    assert kind_of(path, data) == kind


# ---- any bytes ---------------------------------------------------------------------------------
def mutated(whole: bytes):
    """The bytes with some of them changed, or cut."""
    changes = st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=8)
    return st.builds(_mutate, st.just(whole), changes, st.integers(0, len(whole)))


def _mutate(whole: bytes, changes: list[tuple[int, int]], end: int) -> bytes:
    data = bytearray(whole)
    for place, value in changes:
        data[place] = value
    return bytes(data[:end] if end % 3 == 0 else data)


@settings(deadline=None)
@given(st.binary(max_size=300) | mutated(model(3)))
def test_any_bytes_are_an_onnx_model_or_refused(data):
    try:
        found = onnx.described(io.BytesIO(data), len(data))
    except ValueError:
        return
    json.dumps(found)


@settings(deadline=None)
@given(
    st.binary(max_size=300) | mutated(pickle.dumps([Evil(), {"a": [1.5, "x"]}])) | mutated(zlib.compress(b"\x80\x04."))
)
def test_any_bytes_are_a_pickle_or_refused(data):
    try:
        found = pickles.described(io.BytesIO(data))
    except ValueError:
        return
    json.dumps(found)
    assert not os.path.exists("/tmp/previews-pwned")


HEADER = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"a": "b"}}).encode()


@settings(deadline=None)
@given(st.binary(max_size=100) | mutated(len(HEADER).to_bytes(8, "little") + HEADER + b"\0" * 8))
def test_any_bytes_are_safetensors_or_refused(data):
    try:
        json.dumps(models.safetensors(data, size=len(data)))
    except ValueError:
        return


PATCH = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ def f\n-a\n+b\n c\n\\ No newline at end of file\n"


@given(st.binary(max_size=200) | mutated(PATCH) | st.text("@-+ 0123456789,\ndiff", max_size=200).map(str.encode))
def test_any_bytes_are_a_patch_or_none(data):
    found = diff.of_patch(data)
    assert all(line.kind in " +-" for file in found.files for hunk in file.hunks or () for line in hunk.lines)
