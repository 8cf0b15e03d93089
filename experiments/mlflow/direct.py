"""MLflow's JSON API without a detour: its Flask application, called on a thread of ours.

MLflow wraps Flask in FastAPI, whose middlewares and streams cost as much as logging a metric does. Below these
prefixes FastAPI serves nothing itself (a test looks), so every answer is the same.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PREFIXES = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")
THREADS = 32  # apart from the hub's own: a search through all runs must not hold up the gate of a clone
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="hub-mlflow")
Headers = list[tuple[str, str]]


async def call(scope: dict[str, Any], body: bytes) -> tuple[int, Headers, bytes]:
    """Status, headers (lower case) and body of MLflow's answer. The scope is the inner one, as for its ASGI app."""
    context = contextvars.copy_context()  # with the user's name; what MLflow sets in it ends with this call
    return await asyncio.get_running_loop().run_in_executor(_pool, context.run, _call, scope, body)


def _call(scope: dict[str, Any], body: bytes) -> tuple[int, Headers, bytes]:
    from mlflow.server import app
    from starlette.middleware.wsgi import build_environ

    begun: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        begun.append((status, headers))
        return lambda _: None

    answer = app(build_environ(scope, body), start_response)
    try:
        content = b"".join(answer)
    finally:
        if close := getattr(answer, "close", None):
            close()  # ends the request: its workspace is forgotten
    status, headers = begun[-1]
    return int(status.split(" ", 1)[0]), [(name.lower(), value) for name, value in headers], content
