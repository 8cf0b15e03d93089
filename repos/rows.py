"""The rows of a listing as HTML, made in Python: a thousand rows through template tags take too long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from django.utils.safestring import SafeString, mark_safe

from hub.templatetags.covey import filesize
from repos.browsing import Row
from repos.git.history import Commit

_WORDS = {"dir": "Folder", "file": "File", "link": "Symbolic link", "submodule": "Submodule"}
_STEPS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def html(rows: Iterable[Row], *, commit_base: str, pending: bool) -> SafeString:
    """commit_base: address of a commit's page without its id. pending: unknown commits are still being looked for."""
    now = datetime.now(UTC)
    return mark_safe("".join(_row(row, commit_base, now, pending) for row in rows))  # noqa: S308  # escaped below


def _row(row: Row, commit_base: str, now: datetime, pending: bool) -> str:
    name = escape(row.name)
    mark = '<span class="badge badge-accent">data</span>' if row.data else ""
    if not row.present:
        mark += '<span class="badge badge-warn">not pushed</span>'
    return (
        f'<tr><td class="listing-name"><svg class="icon icon-{row.kind}" width="16" height="16" role="img" '
        f'aria-label="{_WORDS[row.kind]}"><use href="#icon-{row.kind}"/></svg>'
        f'<a href="{escape(row.url)}">{name}</a>{mark}</td>'
        f"{_changed(row.commit, commit_base, now, pending and not row.data)}"
        f'<td class="listing-size">{filesize(row.size)}</td>'
        f'<td class="listing-when">{when(row.commit.committed, now) if row.commit else ""}</td></tr>'
    )


def _changed(commit: Commit | None, commit_base: str, now: datetime, pending: bool) -> str:
    if commit is None:
        return f'<td class="listing-commit">{"…" if pending else ""}</td>'
    subject = escape(commit.subject[:200])
    return f'<td class="listing-commit"><a href="{commit_base}{commit.sha}" title="{subject}">{subject}</a></td>'


def when(moment: datetime, now: datetime) -> str:
    """A <time> that says how long ago; its title is the absolute time."""
    return f'<time datetime="{moment.isoformat()}" title="{moment:%Y-%m-%d %H:%M} UTC">{ago(moment, now)}</time>'


def ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    for unit, size in _STEPS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now" if seconds >= 0 else f"on {moment:%Y-%m-%d}"
