"""Long work behind walls: it gets its files and its folder, tells how far it is, and ends when it must."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from datasets.tables.names import CHANGES
from hub.lib import sandbox, sandbox_job
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.sandbox_job import Limits


def run(tmp_path: Path, data: bytes, *, limits: Limits | None = None, beat: Any = None, **options: Any) -> Any:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "one").write_bytes(b"id,x\n1,a\n2,b\n")
    (tmp_path / "two").write_bytes(data)
    return sandbox_job.run(
        "datasets.tables.diff:compare",
        {"base": tmp_path / "one", "head": tmp_path / "two"},
        work,
        package="datasets",
        limits=limits or Limits(),
        beat=beat or (lambda *_: None),
        **({"base_name": "a.csv", "head_name": "a.csv", "key": []} | options),
    )


def test_it_answers_and_leaves_what_it_wrote(tmp_path):
    told: list[Any] = []
    answer = run(tmp_path, b"id,x\n1,a\n2,c\n", beat=lambda *far: told.append(far))
    assert answer["summary"]["cells_changed"] == 1
    assert (tmp_path / "work" / CHANGES).stat().st_size > 0
    assert told[-1][1] in {None, 4}


def test_what_the_function_says_about_its_input_is_passed_on(tmp_path):
    with pytest.raises(Unreadable, match="'nr'"):
        run(tmp_path, b"id,x\n", key=["nr"])


def test_what_a_library_prints_is_no_answer(tmp_path):
    say = {"sep": "100%", "end": "\n", "flush": True}  # as engines do while a statement takes long
    answer = sandbox_job.run("builtins:print", {}, tmp_path, package="datasets", limits=Limits(), beat=print, **say)
    assert answer is None


def test_it_ends_at_its_time(tmp_path):
    with pytest.raises(Overrun):
        run(tmp_path, b"id,x\n1,a\n", limits=Limits(seconds=0.01))


def test_it_ends_at_its_memory(tmp_path):
    with pytest.raises((Overrun, Unreadable)):
        run(tmp_path, b"id,x\n" + b"1,a\n" * 100_000, limits=Limits(memory_bytes=120 * 1024**2))


def test_what_the_watcher_raises_stops_it(tmp_path):
    class Stop(Exception):
        pass

    def stop(*_: Any) -> None:
        raise Stop

    with pytest.raises(Stop):
        run(tmp_path, b"id,x\n", beat=stop)


def test_behind_the_walls_it_sees_nothing_else(tmp_path):
    if not sandbox.walls():
        pytest.skip("bubblewrap does not work here")
    (tmp_path / "secret").write_text("x")
    seen, rooms = sandbox_job._rooms({"base": tmp_path / "secret"}, tmp_path, "datasets")
    assert seen == {"base": "/in/base"}
    assert str(tmp_path.parent) not in rooms
    assert os.environ.get("HOME", "/root") not in rooms
