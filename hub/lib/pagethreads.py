"""Django's pages on threads that are kept: each keeps its database connection, and opening SQLite's costs 2 ms."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

KEPT = 8


class PageThreads:
    """Executors of one thread each. A request holds one for as long as it lasts, slow readers of archives too, so
    there is no upper bound; beyond KEPT they end with their request."""

    def __init__(self) -> None:
        self.free: list[ThreadPoolExecutor] = []

    @contextmanager
    def take(self) -> Iterator[ThreadPoolExecutor]:
        """Only called on the event loop. The one used last is given first: its connection is the warmest."""
        executor = self.free.pop() if self.free else ThreadPoolExecutor(1, thread_name_prefix="hub-page")
        try:
            yield executor
        finally:
            if len(self.free) < KEPT:
                self.free.append(executor)
            else:
                executor.submit(connections.close_all)
                executor.shutdown(wait=False)


class PageHandler(ASGIHandler):
    """Django's own handler starts a thread for each request and ends it afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = PageThreads()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self.threads.take() as executor:
            async with ThreadSensitiveContext(executor=executor):
                await self.handle(scope, receive, send)
