"""Requests of Django's test client that Django's own cannot make."""

from __future__ import annotations

from typing import Any

from django.test import AsyncClient


class BytesClient(AsyncClient):
    """A client whose requests carry the undecoded path, as the server's do: names need not be UTF-8."""

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        self._raw_path = path.split("?", 1)[0].encode("ascii")
        return super().generic(method, path, *args, **kwargs)

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        return {**super()._base_scope(**request), "raw_path": self._raw_path}
