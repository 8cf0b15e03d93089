"""Template tags available everywhere without {% load %}."""

from __future__ import annotations

import functools
import math
from datetime import datetime

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide import _render_icon

register = template.Library()


@register.simple_tag
@functools.lru_cache(maxsize=256)
def icon(name: str, size: int = 16) -> SafeString:
    """A Lucide icon as inline SVG, decorative: the words beside it carry the meaning."""
    return mark_safe(_render_icon(name, size, **{"class": "icon", "aria-hidden": "true", "focusable": "false"}))  # noqa: S308  # from the wheel


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


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A relative time whose title is the absolute one."""
    if moment is None:
        return ""
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', moment.isoformat(), naturaltime(moment))


RUN_STATUS = {
    "RUNNING": ("Running", "badge-accent"),
    "SCHEDULED": ("Waiting", ""),
    "FINISHED": ("Finished", "badge-ok"),
    "FAILED": ("Failed", "badge-bad"),
    "KILLED": ("Stopped", "badge-warn"),
}


@register.filter
def run_status(status: str) -> SafeString:
    """MLflow's status as a word people use."""
    word, look = RUN_STATUS.get(status, (status.title(), ""))
    return format_html('<span class="badge {}">{}</span>', look, word)


@register.filter
def measured(value: float | str | None) -> str:
    """A metric or a param: six significant digits for a number, a dash-free blank for nothing."""
    if value is None or isinstance(value, str):
        return (value or "")[:120]
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    return f"{value:.6g}"


@register.filter
def duration(seconds: float | None) -> str:
    """4.2 → 4.2 s; 75 → 1 min 15 s; 7500 → 2 h 5 min. None (still running) → an empty string."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


@register.inclusion_tag("shared/_copy.html")
def copybox(text: str, label: str = "Copy") -> dict[str, str]:
    """A line of code with a button that copies it."""
    return {"text": text, "label": label}
