"""The server's threads share a core; what computes beside them does not."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.lib import cores
from repos.git import commands

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux alone can be told")


def on_a_thread(act):
    """On a thread of its own: the cores of the tests' own stay as they are."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result(timeout=60)


def mine() -> set[int]:
    return os.sched_getaffinity(0)


def test_a_thread_and_those_that_it_starts_share_one_core():
    def act():
        cores.share_one()
        return mine(), on_a_thread(mine)

    own, started = on_a_thread(act)
    assert len(own) == 1
    assert started == own <= cores.ALL


def test_a_pool_for_hashes_has_all_of_them():
    def act():
        cores.share_one()
        with ThreadPoolExecutor(1, initializer=cores.use_all) as pool:
            return pool.submit(mine).result(timeout=60)

    assert on_a_thread(act) == cores.ALL


def test_a_process_has_all_of_them_and_its_starter_keeps_its_own():
    def act():
        cores.share_one()
        before = mine()
        with cores.popen(["nproc"], stdout=subprocess.PIPE) as process:
            told, _ = process.communicate(timeout=60)
        return before, int(told), mine()

    before, told, after = on_a_thread(act)
    assert (told, after) == (len(cores.ALL), before)


def test_git_has_all_of_them(tmp_path: Path):
    subprocess.run(["git", "init", "-q", "--bare", tmp_path], check=True)

    def act():
        cores.share_one()
        return commands.run(tmp_path, "-c", "alias.cores=!nproc", "cores")

    assert int(on_a_thread(act)) == len(cores.ALL)


def test_where_it_is_forbidden_nothing_fails():
    def act():
        cores._move({max(cores.ALL) + 1000})  # a core that no container has
        return mine()

    assert on_a_thread(act) == cores.ALL
