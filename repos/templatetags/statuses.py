"""How a status looks: {% load statuses %}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from repos.statuses.marks import Mark

register = template.Library()
ICONS = {"success": "circle-check", "pending": "clock", "failure": "circle-x", "error": "circle-alert"}


@register.inclusion_tag("statuses/_mark.html")
def status_mark(marks: Mapping[str, Mark] | str, sha: str, href: str) -> dict[str, Any]:
    """What the statuses of a commit say together, as a sign that leads to them; nothing where nothing was said."""
    mark = marks.get(sha) if isinstance(marks, Mapping) else None
    return {"mark": mark, "href": href, "icon_name": ICONS[mark.state] if mark else ""}


@register.filter
def status_icon(state: str) -> str:
    return ICONS.get(state, "clock")
