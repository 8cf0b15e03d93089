"""Addresses of a page that differ in their query."""

from __future__ import annotations

from hub.accounts.http import HubRequest


class Links:
    """Addresses of this page with some of the query changed; the page number starts again."""

    def __init__(self, request: HubRequest) -> None:
        self.request = request

    def __call__(self, **changes: str | list[str] | None) -> str:
        query = self.request.GET.copy()
        for name in ("page", "format", *changes):
            query.pop(name, None)
        for name, value in changes.items():
            if value is not None:
                query.setlist(name, value if isinstance(value, list) else [value])
        return "?" + query.urlencode()

    def has(self, **given: str) -> bool:
        return all(self.request.GET.get(name, "") == value for name, value in given.items())
