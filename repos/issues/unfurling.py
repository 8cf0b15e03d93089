"""What a text says of things that apps above own, `run:…`, `data:path@rev` or the address of a page, becomes a card.

An app registers how its kind is found: all of a page's texts in one batch. What cannot be found, or what the reader
may not read, stays as it was written; nobody learns which of the two it was.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape
from urllib.parse import unquote

from django.conf import settings

from hub.accounts.actor import Actor, Area
from hub.lib.markdown import Link
from hub.lib.names import OWNER_PATTERN, REPOSITORY_PATTERN
from repos.models import Repository

MOST = 50  # of each kind on one page; what comes after stays plain
_END = ".,;:!?'*_"  # what ends a sentence, not an address


@dataclass(frozen=True)
class Card:
    """href, name and note ("finished · accuracy 0.93") are shown in a line. lines: HTML of what is quoted below."""

    href: str
    name: str
    note: str = ""
    lines: str = ""


Found = Mapping[str, Card]


@dataclass(frozen=True)
class Kind:
    """One thing that texts speak of.

    word, rest: `word:` and what follows it, as a pattern ("" for none). page: pattern of an address below the
    repository, with its fragment; its group "named" is what is asked for. find: those that there are
    among the texts asked, by repository, for one actor who may read all of them.
    """

    area: Area
    find: Callable[[Actor, Mapping[Repository, Collection[str]]], Mapping[Repository, Found]]
    word: str = ""
    rest: str = ""
    page: str = ""


_kinds: list[Kind] = []


def register(kind: Kind) -> None:
    _kinds.append(kind)
    _words.cache_clear()


@dataclass
class Cards:
    """What was found for one reader. words: as written → card. pages: address → card."""

    words: dict[str, Card] = field(default_factory=dict)
    pages: dict[str, Card] = field(default_factory=dict)

    def of_words(self, text: str) -> list[Link]:
        """`run:…` and the like in plain text, for hub.lib.markdown."""
        found = ((match, self.words.get(match[0])) for match in _words().finditer(text)) if self.words else ()
        return [_link(card, *match.span()) for match, card in found if card]

    def of_page(self, address: str) -> Link | None:
        """What the address says besides its path (a row, a filter) is kept."""
        card = self.pages.get(_plain(address))
        if card and not card.lines:
            card = replace(card, href=address.removeprefix(settings.COVEY_URL))
        return _link(card, 0, 0) if card else None


def _link(card: Card, start: int, end: int) -> Link:
    head = f'<a class="card" href="{escape(card.href)}">{escape(card.name)}</a> <small>{escape(card.note)}</small>'
    block = f'<div class="quoted"><p>{head}</p>{card.lines}</div>' if card.lines else ""
    return Link(start, end, card.href, label=card.name, note=card.note, block=block)


def cards_of(repository: Repository, actor: Actor, texts: Iterable[str]) -> Cards:
    """Nothing is asked of kinds that no text names."""
    words, pages = set[str](), dict[str, re.Match[str]]()
    for text in texts:
        words.update(match[0] for match in _words().finditer(text))
        pages.update((_plain(match[0]), match) for match in _address().finditer(text))
    found = Cards()
    if words or pages:
        repositories = _repositories(repository, actor, pages.values())
        for kind in _kinds:
            if actor.has_scope(kind.area, write=False):
                _find(kind, actor, repository, repositories, words, pages, found)
    return found


def _find(
    kind: Kind,
    actor: Actor,
    home: Repository,
    repositories: Mapping[str, Repository],
    words: Collection[str],
    pages: Mapping[str, re.Match[str]],
    found: Cards,
) -> None:
    asked: dict[Repository, dict[str, list[tuple[dict[str, Card], str]]]] = defaultdict(lambda: defaultdict(list))
    for word in sorted(words):
        name, _, rest = word.partition(":")
        if name == kind.word:
            asked[home][rest].append((found.words, word))
    for page in sorted(pages.keys() - found.pages.keys()):
        there = repositories.get(pages[page]["repository"].lower())
        named = re.fullmatch(kind.page, _plain(pages[page]["page"])) if there and kind.page else None
        if there and named:
            asked[there][named["named"]].append((found.pages, page))
    few = {where: dict(list(texts.items())[:MOST]) for where, texts in list(asked.items())[:MOST]}
    for where, cards in (kind.find(actor, few) if few else {}).items():
        for text, card in cards.items():
            for into, key in few[where].get(text, ()):
                into[key] = card


def _repositories(home: Repository, actor: Actor, pages: Iterable[re.Match[str]]) -> dict[str, Repository]:
    """Those that addresses name and this actor may read, by "owner/name" in lower case; one query for all."""
    named = {match["repository"].lower() for match in pages}
    here = home.full_name.lower()
    found = {here: home} if here in named else {}
    if others := sorted(named - {here})[:MOST]:
        pairs = [one.split("/") for one in others]
        rows = Repository.objects.visible_to(actor).select_related("owner")
        rows = rows.filter(owner__name_key__in={pair[0] for pair in pairs}, name_key__in={pair[1] for pair in pairs})
        found |= {row.full_name.lower(): row for row in rows if row.full_name.lower() in others}
    return found


@cache
def _words() -> re.Pattern[str]:
    """What any kind reads, as `word:rest`."""
    known = "|".join(f"{kind.word}:{kind.rest}" for kind in _kinds if kind.word) or r"(?!)"
    return re.compile(rf"(?<![\w@/.:#&-])(?:{known})(?![\w@-])")


def _address() -> re.Pattern[str]:
    """The address of a page of this hub below a repository."""
    return _address_at(settings.COVEY_URL)


@cache
def _address_at(hub: str) -> re.Pattern[str]:
    return re.compile(
        rf"{re.escape(hub)}/(?P<repository>{OWNER_PATTERN}/{REPOSITORY_PATTERN})/(?P<page>[^\s<>\"`()\[\]]+)"
    )


def _plain(address: str) -> str:
    return unquote(address).rstrip(_END)


def quoted_lines(lines: Sequence[str], first: int) -> str:
    """Highlighted lines of a file as HTML, numbered from `first`."""
    width = len(str(first + len(lines) - 1))
    numbered = "\n".join(f"{first + n:>{width}}  {line}" for n, line in enumerate(lines))
    return f'<pre class="highlight"><code>{numbered}</code></pre>'
