"""Tables made to hurt: a clear answer within limits, and the next page is served as ever."""

from __future__ import annotations

import gzip
import html
import io
from typing import Any

import numpy
import pyarrow
import pytest
from pyarrow import parquet

from datasets import results
from hub.jobs.models import Job
from tests.datasets.test_contents import pointer
from tests.datasets.test_data_page import text
from tests.support.work import work

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/datasets/table/main"


def packed(table: pyarrow.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def nested(depth: int) -> pyarrow.Table:
    type_ = pyarrow.int64()
    for _ in range(depth):
        type_ = pyarrow.list_(type_)
    return pyarrow.table({"x": pyarrow.array([None, None], type_)})


def twice() -> pyarrow.Table:
    return pyarrow.table([[1, 2], [3, 4], [5, 6], [7, 8]], names=["a", "a", "A", ""])


@pytest.fixture
def shown(private, writer, keep, as_user, bob):
    """shown(name, bytes, path="") → the page of that table, when the worker is done."""
    results.forget(private.pk)

    def show(name: str, data: bytes, query: str = "") -> Any:
        writer(private).commit({f"{name}.dvc": pointer(keep(private, data), name), "good.csv": "a,b\n1,2\n"})
        client = as_user(bob)
        client.get(f"{ADDRESS}/{name}{query}")
        work()
        response = client.get(f"{ADDRESS}/{name}{query}")
        assert client.get(f"{ADDRESS}/good.csv").status_code == 200
        assert not Job.objects.filter(kind="datasets.table-prepare", state__in=["queued", "running"]).exists()
        return response

    return show


def test_the_page_of_a_name_that_is_not_utf8(private, writer, get_bytes, bob):
    writer(private).commit({b"caf\xe9.csv": "a,b\n1,2\n"})
    page = get_bytes(bob, f"{ADDRESS}/caf%E9.csv")
    assert page.status_code == 200
    assert "What is said here" in text(page)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("columns.csv", lambda: b",".join(b"c%d" % n for n in range(100_000)) + b"\n1,2\n", "100,000 columns"),
        ("line.csv", lambda: b"a,b\n" + b"x" * 20_000_000, "A line is longer than"),
        ("line.jsonl", lambda: b'{"a": "' + b"x" * 20_000_000, "A line is longer than"),
        ("bomb.csv.gz", lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000, 6), "unpacks to more than"),
        ("cut.parquet", lambda: packed(twice())[:-20], "not a parquet file"),
        ("noise.csv", lambda: b"\0\1\2\3" * 5_000, "binary data"),
        ("deep.jsonl", lambda: b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}\n", "cannot be read|no line"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_much_or_broken_is_said(shown, name, data, words):
    response = shown(name, data())
    assert response.status_code == 422
    page = html.unescape(text(response)).lower()
    assert any(word.lower() in page for word in words.split("|"))


def test_a_small_file_of_many_rows(shown):
    """5 million rows in a few KiB: the first are shown; the last take too long to reach, which is said."""
    data = packed(pyarrow.table({"n": numpy.zeros(5_000_000, "int64")}), row_group_size=5_000_000)
    assert len(data) < 200_000
    response = shown("many.parquet", data)
    assert response.status_code == 200
    assert "<strong>5,000,000</strong> rows" in text(response)
    last = shown("many.parquet", data, "?row=5000000")
    assert last.status_code in {200, 422}
    assert 'id="row-5000000"' in text(last) or "too much time" in text(last)


def test_deep_types_and_repeated_names(shown):
    assert shown("deep.parquet", packed(nested(60))).status_code == 200
    response = shown("twice.parquet", packed(twice()), "?format=json&sort=-A")
    assert [column["name"] for column in response.json()["columns"]] == ["a", "a (2)", "A", "column 4"]
    assert [row["cells"] for row in response.json()["rows"]] == [["2", "4", "6", "8"], ["1", "3", "5", "7"]]


def test_zero_bytes_and_what_is_not_a_number(shown):
    response = shown("odd.csv", b"x,y\nNaN,\0\ninf,=1+1\n1,\xff\n", "?format=json&filter=x:gt:0")
    assert response.status_code in {200, 400}
    whole = shown("odd.csv", b"x,y\nNaN,\0\ninf,=1+1\n1,\xff\n", "?format=json").json()
    assert [row["cells"][0] for row in whole["rows"]] == ["NaN", "inf", "1"]
    assert [row["cells"][1] for row in whole["rows"]] == ["�", "=1+1", "ÿ"]
    assert len(whole["notes"]) == 2


def test_times_and_texts_that_python_cannot_hold(shown):
    far = pyarrow.array([2**62, 1], pyarrow.timestamp("ns"))
    broken = pyarrow.Array.from_buffers(
        pyarrow.string(), 2, [None, pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pyarrow.py_buffer(b"\xff\xfea")]
    )
    rows = shown("odd.parquet", packed(pyarrow.table({"t": far, "s": broken})), "?format=json").json()["rows"]
    assert rows[0]["cells"] == ["2116-02-20 23:53:38.427387904", "��"]
    assert rows[1]["cells"][1] == "a"
