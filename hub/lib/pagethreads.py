"""Django's pages on threads that are kept: each keeps its database connection, and opening SQLite's costs 2 ms."""

from __future__ import annotations

import os
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

    def create_request(self, scope: Any, body_file: Any) -> Any:
        """A chunked body has no length in its head, and Django's and DRF's parsers take that for an empty one. Here
        all of it has come, so its length is known."""
        request, refusal = super().create_request(scope, body_file)
        if request is not None and not request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(body_file.seek(0, os.SEEK_END))
            body_file.seek(0)
        return request, refusal
