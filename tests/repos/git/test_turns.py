"""One at a time, and nobody waits for the dead."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from repos.git.turns import turn

HOLDER = """
import sys, time
from pathlib import Path
from repos.git.turns import turn
with turn(Path(sys.argv[1]), "work") as ours:
    print(ours, flush=True)
    time.sleep(600)
"""


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    with turn(tmp_path, "work") as first:
        assert first
        with turn(tmp_path, "work", most_seconds=0) as second:
            assert not second
        with turn(tmp_path, "other", most_seconds=0) as other:
            assert other
    with turn(tmp_path, "work", most_seconds=0) as again:
        assert again


def test_who_waits_does_something_meanwhile(tmp_path: Path) -> None:
    told = list[bool]()
    with ExitStack() as first:
        first.enter_context(turn(tmp_path, "work"))

        def waiting() -> None:
            told.append(True)
            first.close()

        with turn(tmp_path, "work", waiting=waiting) as second:
            assert second
    assert told == [True]


def test_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"True\n"
    with turn(tmp_path, "work", most_seconds=0) as early:
        assert not early
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    begun = time.monotonic()
    with turn(tmp_path, "work", most_seconds=60) as late:
        assert late
    assert time.monotonic() - begun < 60
