"""What changed between two pushes of real git and dvc: the hub's own worker compares, over its own store."""

from __future__ import annotations

import io
import time
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import parquet

from tests.support.dvc import Remote

pytestmark = pytest.mark.client


def table(rows: range, *, changed: int = -1) -> bytes:
    sink = io.BytesIO()
    values = [float(n) + (100 if n == changed else 0) for n in rows]
    parquet.write_table(pyarrow.table({"id": list(rows), "x": values}), sink)
    return sink.getvalue()


def answer(remote: Remote, path: str, **query: Any) -> dict[str, Any]:
    """The finished diff, asked for as often as it is 202."""
    owner, name = remote.url.split("/")[-2:]
    address = f"{remote.url.rsplit('/', 2)[0]}/api/v1/repos/{owner}/{name}/datasets/diff/v1...main{path}"
    headers = {"Authorization": f"Bearer {remote.token}"}
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = httpx.get(address, headers=headers, params=query, timeout=60)
        if found.status_code != 202:
            assert found.status_code == 200, found.text
            return found.json()
        time.sleep(0.3)
    raise AssertionError("the diff was never ready")


def test_a_reviewer_sees_which_files_rows_and_cells_changed(clone, remote):
    clone.git("checkout", "-q", "-b", "main")
    clone.remote(remote, remote.token)
    clone.write({"t.parquet": table(range(1000)), "d/a/1.txt": b"one", "d/a/2.txt": b"two", "d/k.txt": b"k"})
    clone.dvc("add", "--quiet", "t.parquet", "d")
    clone.git("add", ".")
    clone.git("commit", "-m", "one")
    clone.git("tag", "v1")
    clone.dvc("push", "--quiet")
    clone.write({"t.parquet": table(range(10, 1005), changed=500), "d/k.txt": b"other", "d/new.txt": b"new"})
    (clone.folder / "d/a").rename(clone.folder / "d/b")
    clone.dvc("add", "--quiet", "t.parquet", "d")
    clone.git("commit", "-am", "two")
    clone.dvc("push", "--quiet")
    address = remote.url.replace("://", f"://any:{remote.token}@")
    clone.git("push", f"{address}.git", "main", "v1")
    rows = answer(remote, "/t.parquet")["summary"]
    assert [rows[n] for n in ("rows_added", "rows_removed", "rows_changed", "cells_changed")] == [5, 10, 1, 1]
    files = answer(remote, "/d")
    assert [files["summary"][f"files_{n}"] for n in ("added", "removed", "modified", "renamed")] == [1, 0, 1, 2]
    assert files["folders_moved"] == [{"from": "d/a", "to": "d/b", "files": 2}]
    assert files["summary"]["bytes_added"] == len(b"other") + len(b"new")
