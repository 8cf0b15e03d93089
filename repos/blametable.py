"""Blame as table rows of HTML: each run of lines beside the commit that wrote them."""

from __future__ import annotations

from html import escape

from django.utils.safestring import SafeString, mark_safe

from repos import code
from repos.git.blame import Origin, blame
from repos.place import Place, url

VERSION = 1


def html(place: Place) -> SafeString:
    found = blame(place.store, place.commit, place.path)
    lines = code.html_lines("\n".join(found.texts) + "\n", place.name_shown)
    if len(lines) < len(found.texts):
        lines = [escape(text) for text in found.texts]
    rows, number = list[str](), 0
    for origin, count in found.spans:
        for i in range(count):
            number += 1
            first = _origin(place, origin, count) if i == 0 else ""
            rows.append(
                f"<tr{' class=blame-first' if i == 0 else ''}>{first}"
                f'<td class="diff-number"><a href="#L{number}" id="L{number}" tabindex="-1">{number}</a></td>'
                f'<td class="diff-code">{lines[number - 1]}</td></tr>'
            )
    return mark_safe("".join(rows))  # noqa: S308  # every piece of text was escaped


def _origin(place: Place, origin: Origin, count: int) -> str:
    return (
        f'<td class="blame-origin" rowspan="{count}"><a href="{url(place.repository, "commit", origin.sha)}" '
        f'title="{escape(origin.author)}: {escape(origin.subject)}">{escape(origin.subject) or origin.sha[:7]}</a> '
        f'<span class="muted">{escape(origin.author)}, {origin.when:%Y-%m-%d}</span></td>'
    )
