"""What the panels of runs beside each other ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import template

from experiments import colours
from experiments.beside.pictures import Shot

register = template.Library()
register.filter("hue", colours.hue)


@register.simple_tag
def panels() -> list[tuple[str, str]]:
    """(name of its address, title) of each, in their order."""
    names = {"pictures": "Pictures", "files": "Files", "environment": "Environment", "origin": "Code and data"}
    return [(f"experiments:beside_{name}", title) for name, title in names.items()]


@register.simple_tag
def query_of(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode(pairs)


@register.filter
def beside(values: Sequence[Any], sides: Sequence[Any]) -> list[tuple[Any, Any]]:
    """(side, value) of each."""
    return list(zip(sides, values, strict=True))


@register.filter
def at_step(shots: Sequence[Shot], step: int) -> Shot | None:
    """The last one up to a step, else the first."""
    before = [shot for shot in shots if shot.step <= step]
    return before[-1] if before else (shots[0] if shots else None)


@register.filter
def as_json(shots: Sequence[Shot]) -> str:
    return json.dumps([[shot.step, shot.url] for shot in shots])
