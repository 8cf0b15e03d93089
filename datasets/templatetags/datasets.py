"""Commands that pages of data teach: {% load datasets %}."""

from __future__ import annotations

import shlex

from django import template

from repos.content import Entry
from repos.git.read import shown

register = template.Library()


@register.simple_tag
def push_command(entry: Entry) -> str:
    """What pushes the object of this entry: its pointer's, or all of a pipeline's."""
    return f"dvc push {shlex.quote(shown(entry.pointer))}" if entry.pointer.endswith(".dvc") else "dvc push"
