"""Work that many ask for at once, done as one: what comes while a batch is under way shares the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Await it with one item, in any event loop. One thread does the batches, one after the other.

    do: does a batch whole or not at all, and returns a result per item, or an exception for an item that is refused.
    When it raises, the items are done one by one, so that nobody hears of another's failure.
    """

    def __init__(self, name: str, do: Callable[[Sequence[T]], Sequence[R | Exception]], *, most: int = 100) -> None:
        self._do, self._most = do, most
        self._waiting: deque[tuple[T, Future[R]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def __call__(self, item: T) -> R:
        return await asyncio.wrap_future(self.ask(item))

    def ask(self, item: T) -> Future[R]:
        """For threads."""
        future: Future[R] = Future()
        self._waiting.append((item, future))
        self._thread.submit(self._serve_waiting)  # finds nothing to do when the batch before took the item along
        return future

    def _serve_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        self._serve([(item, future) for item, future in batch if future.set_running_or_notify_cancel()])

    def _serve(self, batch: list[tuple[T, Future[R]]]) -> None:
        try:
            results = self._do([item for item, _ in batch]) if batch else []
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for pair in batch:
                self._serve([pair])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
