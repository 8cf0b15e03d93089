"""The files of the Files tab as HTML, made in Python: through template tags they take half of the page's time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from repos import diffbody
from repos.diffs import Options, ShownFile
from repos.pulls.changed import File

FIRST_ROWS = 60  # of one file; what is below the screen takes half of the time to the page's first frame


@dataclass(frozen=True)
class Marking:
    """Addresses that a reader's mark is sent to."""

    viewed: str
    unviewed: str


def sections(files: Iterable[File], options: Options, marking: Marking | None) -> SafeString:
    """marking: None for who cannot mark files as viewed."""
    return mark_safe("\n".join(_section(file, options, marking) for file in files))  # noqa: S308  # escaped below


def body(file: File, options: Options, *, alone: bool = False) -> SafeString:
    """Its lines, or where they come from, and what is said beside others. alone: asked for by itself."""
    shown = file.shown
    why = "You have viewed this file." if file.viewed else file.folded
    if why and not alone and not shown.binary:
        found = diffbody.later(shown, "Show the difference", why)
    else:
        found = diffbody.body(shown, split=options.split, alone=alone, most=None if alone else FIRST_ROWS)
    if file.lost:
        found += mark_safe(f'<div class="box-body diff-lost">{"".join(file.lost)}</div>')  # noqa: S308  # safe HTML
    return found


def _section(file: File, options: Options, marking: Marking | None) -> str:
    shown, name, viewed = file.shown, escape(file.shown.name), " is-viewed" if file.viewed else ""
    letter = shown.status[0]
    return (
        f'<section class="box diff-file{viewed}" id="{shown.anchor}" aria-label="{name}" '
        f'tabindex="-1"{_old_path(shown)}><div class="box-header diff-header">'
        f'<span class="diff-status diff-status-{letter}" title="{shown.status}">{letter.upper()}</span> '
        f'<h2 class="mono">{_old_name(shown)}<a href="#{shown.anchor}">{name}</a></h2>{_mode(shown)} '
        f'<span class="push nowrap">{_counts(shown)}</span>{_button(file, marking) if marking else ""}</div>'
        f"{body(file, options)}</section>"
    )


def _old_path(shown: ShownFile) -> str:
    return f' data-old-path="{escape(shown.old_name)}"' if shown.old_name != shown.name else ""


def _old_name(shown: ShownFile) -> str:
    return f"{escape(shown.old_name)} → " if shown.status in {"renamed", "copied"} else ""


def _mode(shown: ShownFile) -> str:
    return f' <span class="badge">{shown.mode_change}</span>' if shown.mode_change else ""


def _counts(shown: ShownFile) -> str:
    if shown.binary:
        return f'<span class="muted">{"large" if shown.big else "binary"}</span>'
    return f'<span class="added">+{shown.added}</span> <span class="removed">−{shown.removed}</span>'


def _button(file: File, marking: Marking) -> str:
    address = escape(marking.unviewed if file.viewed else marking.viewed)
    return (
        f'<button class="button button-small viewed-button" form="viewed-form" name="file" value="{file.mark}" '
        f'formaction="{address}" aria-pressed="{"true" if file.viewed else "false"}" data-viewed-button>Viewed</button>'
    )
