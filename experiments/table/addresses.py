"""Addresses of the table: the present one with something changed."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import QueryDict


def link(given: QueryDict, **changes: object) -> str:
    """None leaves out; a list says a name more than once."""
    pairs = [(k, v) for k, values in given.lists() for v in values if k not in changes]
    more = [(k, v) for k, value in changes.items() for v in (value if isinstance(value, list) else [value])]
    return "?" + urlencode([*pairs, *((k, v) for k, v in more if v is not None)])


def added(address: str, **more: str) -> str:
    return f"{address}{'' if address == '?' else '&'}{urlencode(more)}"


def kept(given: QueryDict, *left_out: str) -> list[tuple[str, str]]:
    """What a form carries along in hidden fields."""
    return [(name, value) for name, values in given.lists() if name not in left_out for value in values]
