"""What templates ask about data: {% load datasets %}."""

from __future__ import annotations

from django import template

from datasets import formats
from datasets.viewer import histograms, thumbnails
from hub.templatetags.covey import duration, measured
from repos.browsing import Row
from repos.content import Entry
from repos.git.read import typed

register = template.Library()
DAY = 86_400  # seconds


@register.filter
def percent(share: float) -> str:
    """0.1234 → 12.3 %; what is not quite nothing or everything never rounds to it."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    if 0.999 < share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


@register.simple_tag
def push_command(entry: Entry) -> str:
    """What pushes the object of this entry: its pointer's, or all of a pipeline's."""
    return f"dvc push {typed(entry.pointer)}" if entry.pointer.endswith(".dvc") else "dvc push"


@register.filter
def is_table(path: str) -> bool:
    """Whether a file's name promises rows that the table page shows."""
    return formats.is_table(path)


@register.filter
def is_image(path: str) -> bool:
    """Whether a file's name promises an image of which a small picture can be made."""
    return thumbnails.has_thumbnail(path)


@register.filter
def has_images(rows: list[Row]) -> bool:
    """Whether a page of a listing holds images."""
    return any(row.kind == "file" and thumbnails.has_thumbnail(row.name) for row in rows)


@register.filter
def distance(value: float | str | None) -> str:
    """A share or a distance between 0 and 1: three decimals. What a column does not have is told as nothing."""
    if not isinstance(value, int | float):
        return ""
    return f"{value:.3f}" if value >= 0.0005 or value == 0 else "< 0.001"


@register.filter
def moved_by(value: float | str | None, kind: str) -> str:
    """How far the values of a column moved: as they are measured; of times, where it is seconds, as a duration."""
    if kind != "time" or not isinstance(value, int | float):
        return brief(value)
    return f"{value / DAY:,.1f} days" if value >= DAY else duration(value)


@register.filter
def as_read(value: float | None, kind: str) -> str:
    """A number of a column; times are kept as seconds since 1970."""
    return histograms.bound(value, kind) if kind == "time" and value is not None else measured(value)


@register.filter
def brief(value: float | str | None) -> str:
    """Three significant digits, for what is only compared."""
    return f"{value:.3g}" if isinstance(value, int | float) else ""
