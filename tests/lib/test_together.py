"""Calls at once share one piece of work; each hears of its own result only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from hub.lib.together import Together


class Refused(Exception):
    pass


class Work:
    """Doubles numbers; zero is refused, and with one below zero the batch fails. Remembers its batches and can be held
    up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.go.wait(10)
        if any(number < 0 for number in numbers):
            raise ValueError(f"{numbers} holds one below zero")
        return [2 * number if number else Refused("zero") for number in numbers]


def all_at_once(work: Work, numbers: Sequence[int], *, most: int = 100, leaving: Sequence[int] = ()) -> list[object]:
    """What each hears, all waiting before the first is done; those leaving give up before it is."""

    async def ask() -> list[object]:
        together = Together("test", work, most=most)
        asked = [asyncio.ensure_future(together(number)) for number in numbers]
        while not work.batches:  # the first has begun
            await asyncio.sleep(0.001)
        for place in leaving:
            asked[place].cancel()
        await asyncio.sleep(0)
        work.go.set()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return asyncio.run(ask())


def test_what_waits_is_done_as_one():
    work = Work()
    assert all_at_once(work, range(1, 7)) == [2, 4, 6, 8, 10, 12]
    assert len(work.batches) <= 2
    assert sorted(number for batch in work.batches for number in batch) == [1, 2, 3, 4, 5, 6]


def test_no_batch_is_larger_than_asked():
    work = Work()
    assert all_at_once(work, range(1, 7), most=2) == [2, 4, 6, 8, 10, 12]
    assert max(map(len, work.batches)) == 2


def test_a_failure_is_nobody_elses():
    heard = all_at_once(Work(), [1, -2, 3, 4])
    assert heard[:1] + heard[2:] == [2, 6, 8]
    assert str(heard[1]) == "[-2] holds one below zero"


def test_one_that_is_refused_costs_the_others_no_second_try():
    work = Work()
    heard = all_at_once(work, [1, 0, 3])
    assert (heard[0], heard[2]) == (2, 6)
    assert isinstance(heard[1], Refused)
    assert sorted(number for batch in work.batches for number in batch) == [0, 1, 3]


def test_who_left_while_waiting_is_passed_over():
    work = Work()
    heard = all_at_once(work, [1, 2, 3], most=1, leaving=[1])
    assert (heard[0], heard[2]) == (2, 6)
    assert isinstance(heard[1], asyncio.CancelledError)
    assert work.batches == [[1], [3]]


def test_it_serves_one_loop_after_another():
    work = Work()
    work.go.set()
    together = Together("test", work)
    assert [asyncio.run(together(number)) for number in (1, 2)] == [2, 4]
    with pytest.raises(ValueError, match="-1"):
        asyncio.run(together(-1))
