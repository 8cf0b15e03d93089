"""The changed files as a tree of folders, as HTML: made in Python, once for all who read them."""

from __future__ import annotations

import re
from collections.abc import Set
from html import escape

from django.utils.safestring import SafeString, mark_safe

from repos.difftable import anchor_of
from repos.git.diff import FileDiff
from repos.git.read import shown

VERSION = 1  # of what is made; part of the cache's keys
MOST_SHOWN = 3_000
MOST_DEEP = 50  # folders in each other; what is deeper keeps its slashes
Folder = dict[str, "Folder | tuple[int, FileDiff]"]
_FILE = re.compile('data-file="([^"]+)"')


def seen_from(tree: SafeString, seen: Set[str], *, page: int, query: str) -> SafeString:
    """The tree for somebody who is on a page: its files need no other. seen: anchors of files that they have viewed."""
    own = tree.replace(f'href="{_page(query, page)}#', 'href="#')
    if seen:
        own = _FILE.sub(lambda found: found[0] + (" data-viewed" if found[1] in seen else ""), own)
    return mark_safe(own)  # noqa: S308  # as safe as the tree


def html(files: list[FileDiff], *, size: int, query: str, first: int = 0) -> SafeString:
    """A nested list, the same for everybody. size: how many files a page has; each is named with its page. first: the
    number that the first of these files has among all."""
    root: Folder = {}
    for number, file in enumerate(files[:MOST_SHOWN], first):
        *folders, name = file.name.split("/", MOST_DEEP)
        at = root
        for folder in folders:
            below = at.setdefault(f"{folder}/", {})  # a file may have been there before the folder
            assert isinstance(below, dict)
            at = below
        at[name] = (number, file)

    def entry(name: str, number: int, file: FileDiff) -> str:
        anchor, letter = anchor_of(file.name), file.status[0]
        return (
            f'<li data-file="{anchor}"><a href="{_page(query, number // size + 1)}#{anchor}">{escape(shown(name))}</a>'
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


def _page(query: str, number: int) -> str:
    return escape(f"?{query}{'&' if query else ''}page={number}")
