"""Redis as a cache that may be away: a hub without it is slower and counts no wrong passwords, but serves.

Nothing is kept only here, so an unreachable server means "not cached", which every caller has to handle anyway.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger("covey.cache")
SAY_EVERY_SECONDS = 60
LEFT_ALONE_SECONDS = 5
_left_alone_until: dict[str, float] = {}  # address of a server → monotonic seconds; each thread has its own cache
_said = float("-inf")


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache; while the server is away every key is absent and nothing is kept."""

    def add(self, *args: Any, **options: Any) -> bool:
        return bool(self._or(False, super().add, *args, **options))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, super().get, key, default, version)

    def set(self, *args: Any, **options: Any) -> None:
        self._or(None, super().set, *args, **options)

    def touch(self, *args: Any, **options: Any) -> bool:
        return bool(self._or(False, super().touch, *args, **options))

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(self._or(False, super().delete, *args, **options))

    def get_many(self, *args: Any, **options: Any) -> dict[Any, Any]:
        found: dict[Any, Any] = self._or({}, super().get_many, *args, **options)
        return found

    def has_key(self, *args: Any, **options: Any) -> bool:
        return bool(self._or(False, super().has_key, *args, **options))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Raises ValueError for an absent key, as Django's caches do."""
        found = self._or(None, super().incr, key, delta, version)
        if found is None:
            raise ValueError(f"Key '{key}' not found")
        return int(found)

    def set_many(self, data: dict[Any, Any], *args: Any, **options: Any) -> list[Any]:
        failed: list[Any] = self._or(list(data), super().set_many, data, *args, **options)
        return failed

    def delete_many(self, *args: Any, **options: Any) -> None:
        self._or(None, super().delete_many, *args, **options)

    def clear(self) -> None:
        self._or(None, super().clear)

    def _or(self, otherwise: Any, operation: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """A server that is frozen costs seconds to ask, and a page asks often: it is asked again after a while."""
        server: str = self._servers[0]  # type: ignore[attr-defined]  # Django's; the type stubs leave it out
        if time.monotonic() < _left_alone_until.get(server, 0):
            return otherwise
        try:
            return operation(*args, **options)
        except RedisError as error:
            _left_alone_until[server] = time.monotonic() + LEFT_ALONE_SECONDS
            _say(error)
            return otherwise


def _say(error: RedisError) -> None:
    """Once a minute: every request of a hub without its cache comes here several times."""
    global _said
    if time.monotonic() - _said > SAY_EVERY_SECONDS:
        _said = time.monotonic()
        logger.error("the cache does not answer; pages are slower and sign-ins are not throttled: %s", error)
