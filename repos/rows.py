"""The rows of a listing as HTML, made in Python: a thousand rows through template tags take too long."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from django.utils.safestring import SafeString, mark_safe

from hub.templatetags.covey import filesize
from repos.browsing import Change, Row

_WORDS = {"dir": "Folder", "file": "File", "link": "Symbolic link", "submodule": "Submodule"}
_STEPS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def html(rows: Iterable[Row], *, commit_base: str, pending: bool) -> SafeString:
    """commit_base: address of a commit's page without its id. pending: unknown commits are still being looked for."""
    now = time.time()
    return mark_safe("".join(_row(row, commit_base, now, pending) for row in rows))  # noqa: S308  # escaped below


def _row(row: Row, commit_base: str, now: float, pending: bool) -> str:
    name = escape(row.name)
    mark = '<span class="badge badge-accent">data</span>' if row.data else ""
    if not row.present:
        mark += '<span class="badge badge-warn">not pushed</span>'
    return (
        f'<tr><td class="listing-name"><svg class="icon icon-{row.kind}" width="16" height="16" role="img" '
        f'aria-label="{_WORDS[row.kind]}"><use href="#icon-{row.kind}"/></svg>'
        f'<a href="{escape(row.url)}">{name}</a>{mark}</td>'
        f"{_changed(row.change, commit_base, pending and not row.data)}"
        f'<td class="listing-size">{filesize(row.size)}</td>'
        f'<td class="listing-when">{when(row.change.seconds, now) if row.change else ""}</td></tr>'
    )


def _changed(change: Change | None, commit_base: str, pending: bool) -> str:
    if change is None:
        return f'<td class="listing-commit">{"…" if pending else ""}</td>'
    subject = escape(change.subject)
    return f'<td class="listing-commit"><a href="{commit_base}{change.sha}" title="{subject}">{subject}</a></td>'


def when(seconds: int, now: float) -> str:
    """A <time> that says how long ago; its title is the absolute time. Both count from 1970."""
    iso = datetime.fromtimestamp(seconds, UTC).isoformat()
    return f'<time datetime="{iso}" title="{iso[:10]} {iso[11:16]} UTC">{ago(seconds, now)}</time>'


def ago(seconds: int, now: float) -> str:
    for unit, size in _STEPS:
        if now - seconds >= size:
            count = int((now - seconds) // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now" if now >= seconds else f"on {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
