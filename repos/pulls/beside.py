"""What is shown below lines of a diff on the Files tab, e.g. what people said there: apps above register who knows.

A function gets (actor, pull, paths) and says, of each path, which HTML stands below which line: "R12" of the new side,
"L3" of the old one; any other key stands below the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from repos import difftable
from repos.diffs import ShownFile
from repos.pulls.models import PullRequest

Said = dict[str, dict[str, SafeString]]
_knowing: list[Callable[[Actor, PullRequest, Sequence[str]], Said]] = []


def register(knows: Callable[[Actor, PullRequest, Sequence[str]], Said]) -> None:
    _knowing.append(knows)


def beside(actor: Actor, pull: PullRequest, paths: Sequence[str]) -> Said:
    """path → line → HTML of all that know something."""
    found: Said = {}
    for knows in _knowing:
        for path, lines in knows(actor, pull, paths).items():
            mine = found.setdefault(path, {})
            for line, html in lines.items():
                mine[line] = mine.get(line, SafeString("")) + html
    return found


def placed(file: ShownFile, said: dict[str, SafeString], *, split: bool) -> tuple[SafeString, list[str]]:
    """(the rows of a file with these between them, the lines that are not shown)."""
    assert file.html is not None
    return difftable.placed(file.html, file.anchor, said, split=split)
