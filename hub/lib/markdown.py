"""Markdown → safe HTML: GitHub's dialect, footnotes, task lists, math. Nothing is fetched, nothing unsafe is kept.

The text is a stranger's. markdown-it makes HTML of it, nh3 keeps an allow-list of that, and only what came out of
nh3 is ever marked safe, at one place: the end of `clean`.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any, Protocol

from django.utils.safestring import SafeString, mark_safe
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from hub.lib import sanitise
from hub.lib.highlight import highlight_fragment
from hub.lib.sanitise import Bases
from hub.lib.tasklists import Box, boxes_of, number_boxes

VERSION = 1  # grows when what takes long may take less
MAX_CHARACTERS = 1_000_000
SECONDS = 2.0
MAX_FORMULA_CHARACTERS = 2_000
MAX_HIGHLIGHT_CHARACTERS = 20_000
MAX_ANCHORS = 2_000
MAX_NESTING = 100  # of quotes and lists, and of what stands within a line
_TEXT_COMMAND = re.compile(r"\\(?:text\w*|mbox|mathrm)\{[^{}]*\}")


@dataclass(frozen=True)
class Link:
    """Part of a text that is to lead somewhere. title: shown beside the pointer.

    label: shown instead of what is written, as a card with a note. block: HTML (cleaned as all is) that is shown
    instead where a paragraph is nothing else.
    """

    start: int
    end: int
    href: str
    title: str = ""
    label: str = ""
    note: str = ""
    block: str = ""


class Cards(Protocol):
    """What texts speak of: words (`run:…`) in plain text, and addresses that stand there by themselves."""

    def of_words(self, text: str) -> Sequence[Link]: ...

    def of_page(self, address: str) -> Link | None: ...


References = Callable[[str], Sequence[Link]]  # of a piece of plain text, in order and apart from each other


TOO_SLOW = "This text takes too long to be rendered; it is shown as written."
GONE = " <small>(this attachment was removed)</small>"


class OutOfTime(Exception):
    """This text takes longer than anyone should wait, or nests too deep; its source is shown instead."""


def render(
    text: str,
    *,
    link_base: str = "",
    raw_base: str = "",
    directory: str = "",
    seconds: float = SECONDS,
    references: References | None = None,
    box: Callable[[Box], SafeString] | None = None,
    cards: Cards | None = None,
    gone: Callable[[str], bool] | None = None,
    strict: bool = False,
) -> SafeString:
    """Safe HTML of a Markdown text.

    link_base, raw_base: URL prefixes, ending in "/", of the pages and of the raw files at the root of the same
    revision; directory: where the file lies below that root ("" is the root). Relative links go to the first,
    relative images to the second; no link climbs above the root. With empty bases (comments) both stay as written.
    references: finds mentions (@name, #3) in what is neither code nor part of a link already; cards: what is shown
    with more than its name. gone: whether what an address led to was removed; the text says so then. box: our own HTML
    for a box of a task list, instead of one that cannot be ticked.
    A text that is too long or too slow comes back as its source. strict: raise OutOfTime for one that is too slow.
    """
    if len(text) > MAX_CHARACTERS:
        return source(text[:MAX_CHARACTERS], "This text is too long to be rendered; its beginning is shown as written.")
    bases = Bases(link_base, raw_base, directory)
    try:
        env: dict[str, Any] = {"deadline": time.monotonic() + seconds, "mentions": references, "cards": cards}
        env["gone"] = gone
        if box is not None:
            env["box_mark"] = secrets.token_hex(8)  # which no text can hold
        cleaned = sanitise.clean(_parser().render(text, env), bases)
        return _with_boxes(cleaned, env, box) if box is not None else cleaned
    except (OutOfTime, sanitise.TooDeep) as error:
        if strict:
            raise OutOfTime from error
        return source(text, TOO_SLOW)


def boxes(text: str) -> list[Box]:
    """The boxes of the task lists of a text, in the order in which render() asks for them; none of one too slow."""
    if "[" not in text or len(text) > MAX_CHARACTERS:
        return []
    env: dict[str, Any] = {"deadline": time.monotonic() + SECONDS, "mentions": None}
    try:
        _parser().parse(text, env)
    except OutOfTime:
        return []
    return boxes_of(env)


def _with_boxes(cleaned: SafeString, env: dict[str, Any], box: Callable[[Box], SafeString]) -> SafeString:
    found = boxes_of(env)
    put = re.sub(f"x{env['box_mark']}x([0-9]+)x", lambda match: box(found[int(match[1])]), cleaned)
    return mark_safe(put)  # noqa: S308  # what was cleaned, and our own boxes


def source(text: str, note: str) -> SafeString:
    """The text as written, with a sentence that says why."""
    return sanitise.clean(f'<p class="note">{escape(note)}</p><pre>{escape(text)}</pre>', Bases())


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": True, "typographer": False, "maxNesting": MAX_NESTING})
    parser.options["highlight"] = _highlight
    parser.use(front_matter_plugin).use(footnote_plugin).use(tasklists_plugin)
    parser.use(dollarmath_plugin, renderer=_math, allow_digits=False, allow_space=False, double_inline=True)
    parser.use(anchors_plugin, max_level=6)
    parser.core.ruler.after("inline", "boxes", number_boxes)
    # Each list of rules looks at the clock first, so that no nesting of rules runs on for long.
    parser.core.ruler.after("inline", "limits", _check_counts)
    parser.core.ruler.push("align", _align_cells)
    # Before addresses are looked for, which would take the end of "data:model.pt" for one.
    parser.core.ruler.before("linkify", "words", _link_words)
    # Before escaped characters join the text: an escaped "#3" is no reference.
    parser.core.ruler.before("text_join", "mentions", _link_mentions)
    parser.core.ruler.before("text_join", "cards", _link_cards)
    parser.core.ruler.push("gone", _tell_gone)
    parser.block.ruler.before("table", "deadline", _check_block)
    parser.inline.ruler.before("text", "deadline", _check_clock)
    return parser


def _check_clock(state: Any, *_: Any) -> bool:
    """A rule that never matches anything; it only stops the parse when the time is up."""
    if time.monotonic() > state.env["deadline"]:
        raise OutOfTime
    return False


def _check_block(state: Any, *arguments: Any) -> bool:
    """The same; and markdown-it leaves out, without a word, what lies deeper than its maxNesting. A list is two."""
    if state.level >= MAX_NESTING - 2:
        raise OutOfTime
    return _check_clock(state, *arguments)


def _check_counts(state: StateCore) -> None:
    """Anchors and task lists take quadratic time in their number."""
    headings = sum(token.type == "heading_open" for token in state.tokens)
    tasks = sum(token.type == "inline" and token.content[:1] == "[" for token in state.tokens)
    if max(headings, tasks) > MAX_ANCHORS or _check_clock(state):
        raise OutOfTime


def _align_cells(state: StateCore) -> None:
    """Columns are aligned by an attribute: the content policy allows no inline style."""
    for token in state.tokens:
        if token.type in {"th_open", "td_open"} and (style := token.attrs.pop("style", None)):
            token.attrs["align"] = str(style).removeprefix("text-align:")


def _link_mentions(state: StateCore) -> None:
    find: References | None = state.env.get("mentions")
    for token in state.tokens:
        if find and token.type == "inline" and token.children:
            token.children = list(_with_links(token.children, find))


def _link_words(state: StateCore) -> None:
    cards: Cards | None = state.env.get("cards")
    for token in state.tokens:
        if cards and token.type == "inline" and token.children and ":" in token.content:
            token.children = list(_with_links(token.children, cards.of_words))


def _link_cards(state: StateCore) -> None:
    cards: Cards | None = state.env.get("cards")
    for at, token in enumerate(state.tokens):
        if not (cards and token.type == "inline" and token.children and "://" in token.content):
            continue
        token.children, block = _with_cards(token.children, cards)
        if block and at and state.tokens[at - 1].type == "paragraph_open":
            state.tokens[at - 1].hidden = state.tokens[at + 1].hidden = True
            token.children = [Token("html_inline", "", 0, content=block)]


def _tell_gone(state: StateCore) -> None:
    """Where images and links lead to what was removed, the text says so."""
    gone: Callable[[str], bool] | None = state.env.get("gone")
    for token in state.tokens:
        if gone and token.type == "inline" and token.children:
            token.children = list(_without_gone(token.children, gone))


def _without_gone(tokens: Sequence[Token], gone: Callable[[str], bool]) -> Iterator[Token]:
    missing = False  # whether this is inside of a link that leads nowhere; links do not nest
    for token in tokens:
        address = str(token.attrs.get("src" if token.type == "image" else "href", ""))
        if token.type == "link_open" and address and gone(address):
            missing = True
        elif token.type == "link_close" and missing:
            missing = False
            yield Token("html_inline", "", 0, content=GONE, level=token.level)
        elif token.type == "image" and gone(address):
            yield Token("html_inline", "", 0, content=f"{escape(token.content)}{GONE}", level=token.level)
        else:
            yield token


def _with_cards(tokens: Sequence[Token], cards: Cards) -> tuple[list[Token], str]:
    """Addresses that nobody gave a text become cards. And what is shown instead, when there is nothing but one."""
    made: list[Token] = []
    block, at = "", 0
    while at < len(tokens):
        token = tokens[at]
        bare = token.type == "link_open" and token.markup == "linkify"
        link = cards.of_page(str(token.attrs.get("href", ""))) if bare else None
        if link:
            made.extend(_card(link, token.level))
            block = link.block if len(tokens) == 3 else ""
            at += 3  # a bare address is three tokens: open, its text, close
        else:
            made.append(token)
            at += 1
    return made, block


def _with_links(tokens: Sequence[Token], find: References) -> Iterator[Token]:
    depth = 0  # of links, written as Markdown or as HTML
    for token in tokens:
        html = token.content.lower() if token.type == "html_inline" else ""
        depth += (token.type == "link_open") - (token.type == "link_close")
        depth += html.startswith(("<a ", "<a>")) - html.startswith("</a")
        if token.type == "text" and depth <= 0:
            yield from _linked(token, find(token.content))
        else:
            yield token


def _linked(token: Token, links: Sequence[Link]) -> Iterator[Token]:
    at, level = 0, token.level
    for link in links:
        yield Token("text", "", 0, content=token.content[at : link.start], level=level)
        if link.label:
            yield from _card(link, level)
            at = link.end
            continue
        title = {"title": link.title} if link.title else {}
        yield Token("link_open", "a", 1, attrs={"href": link.href, **title}, level=level)
        yield Token("text", "", 0, content=token.content[link.start : link.end], level=level + 1)
        yield Token("link_close", "a", -1, level=level)
        at = link.end
    yield Token("text", "", 0, content=token.content[at:], level=level) if links else token


def _card(link: Link, level: int) -> Iterator[Token]:
    yield Token("link_open", "a", 1, attrs={"href": link.href, "class": "card"}, level=level)
    yield Token("text", "", 0, content=link.label, level=level + 1)
    if link.note:
        yield Token("html_inline", "", 0, content=f" <small>{escape(link.note)}</small>", level=level + 1)
    yield Token("link_close", "a", -1, level=level)


def _math(formula: str, options: Mapping[str, Any]) -> str:
    """MathML of a formula; what cannot be converted is shown as it was written."""
    display = "block" if options.get("display_mode") else "inline"
    shown = f"<code>{escape(formula)}</code>"
    if len(formula) > MAX_FORMULA_CHARACTERS or formula.count("{") > 200:
        return shown
    try:
        # The converter does not escape what \text holds: it would come out as markup.
        return convert(_TEXT_COMMAND.sub(lambda match: escape(match[0], quote=False), formula), display=display)
    except (Exception, RecursionError):  # the converter raises whatever its parser met, from KeyError to IndexError
        return shown


def _highlight(code: str, language: str, _attributes: Sequence[str] | str) -> str:
    if len(code) > MAX_HIGHLIGHT_CHARACTERS:
        return ""
    return f'<pre class="highlight"><code>{highlight_fragment(code, language)}</code></pre>'
