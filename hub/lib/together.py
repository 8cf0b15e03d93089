"""Work that many threads ask for at once, done as one: what waits while one transaction commits shares the next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Wanted(Generic[T, R]):
    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R | None = None
        self.error: Exception | None = None
        self.done = False


class Together(Generic[T, R]):
    """Call it with one item from any thread, outside of any transaction.

    do: does a batch whole or not at all, and returns a result per item. When a batch fails, its items are done one by
    one, so that nobody hears of another's failure.
    """

    def __init__(self, do: Callable[[Sequence[T]], Sequence[R]], *, most: int = 100) -> None:
        self._do, self._most = do, most
        self._turn = threading.Lock()
        self._waiting: deque[_Wanted[T, R]] = deque()

    def __call__(self, item: T) -> R:
        wanted: _Wanted[T, R] = _Wanted(item)
        self._waiting.append(wanted)
        with self._turn:  # whoever had the turn may have done ours already
            while not wanted.done:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                self._serve(batch)
        if wanted.error:
            raise wanted.error
        return wanted.result  # type: ignore[return-value]  # it is done

    def _serve(self, batch: list[_Wanted[T, R]]) -> None:
        try:
            for wanted, result in zip(batch, self._do([wanted.item for wanted in batch]), strict=True):
                wanted.result = result
        except Exception as error:
            if len(batch) > 1:
                for wanted in batch:
                    self._serve([wanted])
                return
            batch[0].error = error
        for wanted in batch:
            wanted.done = True
