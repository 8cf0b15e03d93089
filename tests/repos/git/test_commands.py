"""Git children: our environment only, limits that bite, nothing left running."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from repos.git import commands
from repos.git.commands import GitError, GitTimeout, GitTooMuch
from repos.git.store import RepoStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return RepoStore(tmp_path).create(1)


def test_it_stops_a_command_at_its_time_limit(path):
    reading, writing = os.pipe()  # git waits for input that never comes
    started = time.monotonic()
    with pytest.raises(GitTimeout):
        commands.run(path, "cat-file", "--batch", stdin=reading, timeout_seconds=0.3)
    assert time.monotonic() - started < 5
    os.close(reading)
    with pytest.raises(BrokenPipeError):  # nobody holds the other end any more
        os.write(writing, b"x")
    os.close(writing)


def test_it_keeps_no_more_than_asked(path):
    with pytest.raises(GitTooMuch):
        commands.run(path, "help", "-a", max_bytes=10)


def test_it_tells_why_git_failed(path):
    with pytest.raises(GitError, match="fatal") as caught:
        commands.run(path, "cat-file", "-e", "refs/heads/none")
    assert caught.value.status == 128


def test_it_answers_by_status(path):
    assert not commands.succeeds(path, "show-ref", "--verify", "--quiet", "refs/heads/none")


def test_nothing_of_our_environment_reaches_git(path, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[covey]\n\tleak = yes\n")
    assert commands.run(path, "config", "--get", "covey.leak", ok=(0, 1)) == b""
    assert commands.run(path, "config", "--get", "transfer.unpackLimit") == b"1\n"
    assert not (tmp_path / "trace").exists()


def test_limits_reach_the_child():
    child = subprocess.Popen(["sleep", "30"], start_new_session=True)
    commands.limit(child.pid, commands.READING)
    assert resource.prlimit(child.pid, resource.RLIMIT_CPU) == (120, 120)
    assert resource.prlimit(child.pid, resource.RLIMIT_DATA)[0] <= commands.READING.data_bytes
    commands.kill_group(child.pid)
    assert child.wait(5) == -signal.SIGKILL
    commands.kill_group(child.pid)  # gone already: fine


def test_a_transfer_stands_back_for_pages():
    child = subprocess.Popen(["sleep", "30"], start_new_session=True)
    commands.stand_back(child.pid)
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + commands.NICE, 19)
    commands.kill_group(child.pid)
    child.wait(5)
    commands.stand_back(child.pid)  # gone already: fine


def test_leaving_a_stream_early_kills_git(path):
    reading, writing = os.pipe()
    stream = commands.pieces(path, "cat-file", "--batch-check", stdin=reading)
    os.write(writing, b"HEAD\n")
    assert b"missing" in next(stream)
    os.close(reading)
    stream.close()
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"HEAD\n")
    os.close(writing)


def test_records_are_cut_at_the_separator(path):
    out = list(commands.records(path, "cat-file", "--batch-check", stdin=b"a\nb\n", separator=b"\n"))
    assert out == [b"a missing", b"b missing"]
