"""The changed files as a tree of folders, as HTML: thousands of entries cost milliseconds, which no template does."""

from __future__ import annotations

from html import escape

from django.utils.safestring import SafeString, mark_safe

from repos.difftable import anchor_of
from repos.git.diff import FileDiff
from repos.git.read import shown

MOST_SHOWN = 3_000
MOST_DEEP = 50  # folders in each other; what is deeper keeps its slashes
Folder = dict[str, "Folder | tuple[int, FileDiff]"]


def html(files: list[FileDiff], seen: set[str], *, page: int, size: int, query: str) -> SafeString:
    """A nested list. seen: anchors of files that the reader has viewed. page, size: where the reader is, and how many
    files a page has: another page's file is named with its page."""
    root: Folder = {}
    for number, file in enumerate(files[:MOST_SHOWN]):
        *folders, name = file.name.split("/", MOST_DEEP)
        at = root
        for folder in folders:
            below = at.setdefault(f"{folder}/", {})  # a file may have been there before the folder
            assert isinstance(below, dict)
            at = below
        at[name] = (number, file)

    def entry(name: str, number: int, file: FileDiff) -> str:
        anchor, on = anchor_of(file.name), number // size + 1
        address = f"#{anchor}" if on == page else f"?{query}{'&' if query else ''}page={on}#{anchor}"
        letter = file.status[0]
        return (
            f'<li data-filter-item data-file="{anchor}"{" data-viewed" if anchor in seen else ""}>'
            f'<a href="{escape(address)}" title="{escape(shown(file.name))}">{escape(shown(name))}</a>'
            f'<span class="diff-status diff-status-{letter}" title="{file.status}">{letter.upper()}</span></li>'
        )

    def level(folder: Folder) -> str:
        found = []
        for name, below in sorted(folder.items(), key=lambda item: (not isinstance(item[1], dict), item[0])):
            if isinstance(below, tuple):
                found.append(entry(name, *below))
                continue
            while len(below) == 1 and isinstance(only := next(iter(below.values())), dict):
                name, below = name + next(iter(below)), only  # a folder of one folder is one line
            words = escape(shown(name.removesuffix("/")))
            found.append(f"<li><details open><summary>{words}</summary>{level(below)}</details></li>")
        return f"<ul>{''.join(found)}</ul>"

    return mark_safe(level(root))  # noqa: S308  # every name was escaped
