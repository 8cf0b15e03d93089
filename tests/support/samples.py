"""Made-up addresses for routes: every Django pattern and every regular expression of a surface gets one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RoutePattern

VALUES = {"int": "1", "str": "x", "slug": "x", "path": "main/a.txt", "rest": "main/a.txt", "uuid": "0" * 32}
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def django_routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(route, sample path) of every pattern below; {owner} and {name} stay open in the sample."""
    for entry in patterns:
        text = str(entry.pattern)
        if isinstance(entry.pattern, RoutePattern):
            sample = prefix + _PARAMETER.sub(lambda match: _value(*match.groups()), text)
        else:
            sample = prefix + of_expression(text)
        if isinstance(entry, URLResolver):
            yield from django_routes(entry.url_patterns, sample)
        else:
            yield text if not prefix else f"{prefix}{text}", "/" + sample


def _value(converter: str | None, name: str) -> str:
    if name in {"owner", "name"} and converter in {"owner", "repository"}:
        return f"{{{name}}}"
    return VALUES.get(converter or "str", "bob")


def of_expression(pattern: str) -> str:
    """A short text that the expression matches as a whole."""
    made = _texts(_parser.parse(pattern))
    assert re.fullmatch(pattern, made), f"no sample for {pattern!r}: {made!r}"
    return made


def _texts(tokens: Any) -> str:
    return "".join(_text(kind, value) for kind, value in tokens)


def _text(kind: Any, value: Any) -> str:
    if kind is kinds.LITERAL:
        return chr(value)
    if kind in {kinds.ANY, kinds.NOT_LITERAL}:
        return "x"
    if kind is kinds.IN:
        return _member(value)
    if kind is kinds.BRANCH:
        return _texts(value[1][0])
    if kind is kinds.SUBPATTERN:
        return _texts(value[-1])
    if kind in {kinds.MAX_REPEAT, kinds.MIN_REPEAT}:
        return _texts(value[2]) * max(value[0], 0)
    if kind in {kinds.AT, kinds.ASSERT, kinds.ASSERT_NOT}:
        return ""
    raise AssertionError(f"teach this to make samples of {kind}")


def _member(members: Any) -> str:
    kind, value = members[0]
    if kind is kinds.NEGATE:
        return "x"
    if kind is kinds.RANGE:
        return chr(value[0])
    if kind is kinds.CATEGORY:
        return "0" if value is kinds.CATEGORY_DIGIT else "x"
    return chr(value)
