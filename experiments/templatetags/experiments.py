"""What the templates of runs ask."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def below(folder: str, name: str) -> str:
    """The path of a name in a folder ("" is the root)."""
    return f"{folder}/{name}" if folder else name


@register.filter
def folders_above(path: str) -> list[tuple[str, str]]:
    """(path, name) of each folder that a path lies in, the outermost first."""
    names = path.split("/")[:-1] if path else []
    return [("/".join(names[: number + 1]), name) for number, name in enumerate(names)]
