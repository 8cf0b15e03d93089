"""Template tags available everywhere without {% load %}."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def short(oid: str) -> str:
    """The first seven characters of an object id."""
    return oid[:7]


@register.filter
def filesize(size: int | None) -> str:
    """1536 → 1.5 KB. None (unknown) → an empty string."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < 1024 or unit == "TB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
