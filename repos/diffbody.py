"""What stands below the name of a changed file, as HTML: its lines, or where they come from. Made in Python: fifty of
them through template tags take too long."""

from __future__ import annotations

from html import escape

from django.utils.safestring import SafeString, mark_safe

from repos.diffs import ShownFile

_COLUMNS = '<colgroup><col class="diff-number"><col><col class="diff-number"><col></colgroup>'
_END = "</tr>"
_TOO_LARGE = '<p class="box-body">This difference is too large to show here. Use <code>git diff</code> to read it.</p>'
_TOO_BIG = (
    '<p class="box-body muted">A file of more than 8 MB: its lines are not compared here. '
    "Use <code>git diff</code> to read it.</p>"
)


def body(file: ShownFile, *, split: bool = False, alone: bool = False, most: int | None = None) -> SafeString:
    """alone: asked for by itself, so nothing of it may come later. most: of more rows the others come when they are
    seen, unless something is said beside a line."""
    if file.big:
        found = _TOO_BIG
    elif file.binary:
        found = '<p class="box-body muted">A binary file: its bytes differ.</p>'
    elif file.html is None:
        found = _TOO_LARGE if alone else later(file, "Load the difference", "It is large." if file.large else "")
    elif file.html:
        rows = file.html if most is None else _first(file.html, most)
        found = (
            f'<div class="diff-scroll" tabindex="0" role="region" aria-label="Changed lines of {escape(file.name)}">'
            f'<table class="diff{" diff-split" if split else ""}">{_COLUMNS if split else ""}'
            f"<tbody>{rows}</tbody></table></div>"
        )
        if rows != file.html:
            found = f'<div class="diff-part">{found}{later(file, "Show the other lines", "")}</div>'
    else:
        found = f'<p class="box-body muted">{_nothing(file)}</p>'
    return mark_safe(found)  # noqa: S308  # what is not HTML already was escaped


def later(file: ShownFile, words: str, why: str) -> SafeString:
    """A link in whose place the lines come: when it is seen or, when there is a reason, when it is clicked."""
    when = "clicked" if why else "seen"
    reason = f' <span class="muted">{escape(why)}</span>' if why else ""
    return mark_safe(  # noqa: S308  # see above
        f'<p class="box-body"><a class="button" href="{escape(file.url)}" data-later="{when}">{words}</a>{reason}</p>'
    )


def _first(rows: str, most: int) -> str:
    """The first of many rows; all of them where something is said beside one."""
    ended = rows.split(_END, most)
    if len(ended) <= most or not ended[most] or "diff-beside" in rows:
        return rows
    return _END.join(ended[:most]) + _END


def _nothing(file: ShownFile) -> str:
    if file.status == "renamed":
        return "Renamed without changes."
    if file.mode_change:
        return "Only the mode changed."
    return "An empty file." if file.status in {"added", "deleted"} else "No lines differ."
