"""Calls at once share one piece of work; each hears of its own result only."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from hub.lib.together import Together


class Work:
    """Doubles numbers, none below zero; remembers its batches and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self.go.wait(10)
        if any(number < 0 for number in numbers):
            raise ValueError(f"{numbers} holds one below zero")
        return [2 * number for number in numbers]


def all_at_once(together: Together[int, int], work: Work, numbers: Sequence[int]) -> dict[int, object]:
    """Each number from a thread of its own, all waiting before the first is done."""
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            found[number] = together(number)
        except ValueError as error:
            found[number] = str(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
        while not work.batches:  # the first has begun
            time.sleep(0.001)
    while len(together._waiting) < len(numbers) - 1:
        time.sleep(0.001)
    work.go.set()
    for thread in threads:
        thread.join(10)
    return found


def test_what_waits_is_done_as_one():
    work = Work()
    assert all_at_once(Together(work), work, range(6)) == {number: 2 * number for number in range(6)}
    assert sorted(map(len, work.batches)) == [1, 5]


def test_no_batch_is_larger_than_asked():
    work = Work()
    assert len(all_at_once(Together(work, most=2), work, range(6))) == 6
    assert max(map(len, work.batches)) == 2


def test_a_failure_is_nobody_elses():
    work = Work()
    found = all_at_once(Together(work), work, [1, -2, 3, 4])
    assert found == {1: 2, -2: "[-2] holds one below zero", 3: 6, 4: 8}


def test_an_error_reaches_who_asked_alone():
    work = Work()
    work.go.set()
    with pytest.raises(ValueError, match="-1"):
        Together(work)(-1)
