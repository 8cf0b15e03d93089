"""Addresses of a page that differ in their query."""

from __future__ import annotations

from hub.accounts.http import HubRequest


class Links:
    """Addresses of this page with some of the query changed; the page number starts again.

    left_out: names that belong to what is shown now, and to no other address.
    """

    left_out: tuple[str, ...] = ("page", "format")

    def __init__(self, request: HubRequest) -> None:
        self.request = request

    def __call__(self, **changes: str | list[str] | None) -> str:
        query = self.request.GET.copy()
        for name in (*self.left_out, *changes):
            query.pop(name, None)
        for name, value in changes.items():
            if value is not None:
                query.setlist(name, value if isinstance(value, list) else [value])
        return "?" + query.urlencode()

    def without_filter(self, number: int) -> str:
        filters = self.filters
        return self(filter=filters[:number] + filters[number + 1 :])

    @property
    def filters(self) -> list[str]:
        return [text for text in self.request.GET.getlist("filter") if text]

    def has(self, **given: str) -> bool:
        return all(self.request.GET.get(name, "") == value for name, value in given.items())
