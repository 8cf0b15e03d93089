"""What templates ask about data: {% load datasets %}."""

from __future__ import annotations

import shlex

from django import template

from datasets import formats, thumbnails
from repos.browsing import Row
from repos.content import Entry
from repos.git.read import shown

register = template.Library()


@register.simple_tag
def push_command(entry: Entry) -> str:
    """What pushes the object of this entry: its pointer's, or all of a pipeline's."""
    return f"dvc push {shlex.quote(shown(entry.pointer))}" if entry.pointer.endswith(".dvc") else "dvc push"


@register.filter
def is_table(path: str) -> bool:
    """Whether a file's name promises rows that the table page shows."""
    return formats.is_table(path)


@register.filter
def has_images(rows: list[Row]) -> bool:
    """Whether a page of a listing holds images."""
    return any(row.kind == "file" and thumbnails.has_thumbnail(row.name) for row in rows)
