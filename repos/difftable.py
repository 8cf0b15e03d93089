"""The lines of a diff as table rows of HTML, unified or split: highlighted, with the changed words of a line marked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from html import escape

from django.utils.safestring import SafeString, mark_safe

from hub.lib.highlight import highlight_lines
from repos.git.diff import FileDiff, Hunk, Line
from repos.git.read import to_bytes

VERSION = 3  # of what is rendered; part of the cache's keys
MAX_LINES_HIGHLIGHTED = 2_000
MAX_WORDS = 300  # of a line compared word by word
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
_PIECES = re.compile(r"<[^>]*>|&[^;]+;|[^<&]", re.DOTALL)  # of highlighted HTML: a tag or one character
Marks = list[tuple[int, int]]  # ranges of characters
Pair = tuple[Line | None, Line | None]


def anchor_of(name: str) -> str:
    """What the section of a file is called on a page. A line of it: followed by L or R and the number."""
    return "diff-" + hashlib.sha256(to_bytes(name)).hexdigest()[:16]


def html(file: FileDiff, *, split: bool, anchor: str = "") -> SafeString:
    """The <tr> rows of a file's hunks. anchor: lines get ids, e.g. diff-0123R12 for line 12 of the new side."""
    hunks = file.hunks or ()
    plain = sum(len(hunk.lines) for hunk in hunks) > MAX_LINES_HIGHLIGHTED
    rows = [row for hunk in hunks for row in _hunk(hunk, file.name, split=split, plain=plain, anchor=anchor)]
    return mark_safe("".join(rows))  # noqa: S308  # every piece of text was escaped


def placed(rows: SafeString, anchor: str, beside: Mapping[str, str], *, split: bool) -> tuple[SafeString, list[str]]:
    """(the rows of html(), with what is said beside some lines in rows of their own below them, the lines that are
    not among them). beside: "R12" or "L3" → safe HTML."""
    lost = []
    for line, said in beside.items():
        at = rows.find(f'id="{anchor}{line}"')
        if at < 0:
            lost.append(line)
            continue
        end = rows.index("</tr>", at) + len("</tr>")
        row = f'<tr class="diff-beside"><td colspan="{4 if split else 3}">{said}</td></tr>'
        rows = mark_safe(rows[:end] + row + rows[end:])  # noqa: S308  # the caller's HTML is safe
    return rows, lost


def _hunk(hunk: Hunk, name: str, *, split: bool, plain: bool, anchor: str) -> Iterator[str]:
    span = 4 if split else 3
    yield f'<tr class="diff-heading"><td colspan="{span}">Line {hunk.new} {escape(hunk.heading)}</td></tr>'
    code = _code(hunk, name, plain=plain)
    for pair in _pairs(hunk.lines):
        _mark_pair(pair, code)
    if split:
        yield from (_split_row(pair, code, anchor) for pair in _pairs(hunk.lines))
    else:
        yield from (_unified_row(line, code[line], anchor) for line in hunk.lines)


def _code(hunk: Hunk, name: str, *, plain: bool) -> dict[Line, str]:
    """HTML of each line. Each side is highlighted by itself, since a lexer cannot read both at once."""
    if plain:
        return {line: escape(line.text) for line in hunk.lines}
    found: dict[Line, str] = {}
    kinds = {line.kind for line in hunk.lines}
    for side, absent in (("-", "+"), ("+", "-")):  # the old side, then the new
        if side not in kinds and absent in kinds:  # all of its lines stand in the other side as well
            continue
        lines = [line for line in hunk.lines if line.kind != absent]
        shown = highlight_lines("\n".join(line.text for line in lines) + "\n", name)
        if len(shown) < len(lines):  # the lexer saw other line ends than git
            shown = [escape(line.text) for line in lines]
        found |= dict(zip(lines, shown, strict=False))
    return found


def _pairs(lines: tuple[Line, ...]) -> Iterator[Pair]:
    """Left and right of a split view: removed lines face the added lines that follow them."""
    removed, added = list[Line](), list[Line]()
    for line in (*lines, None):
        if line and line.kind == "-" and not added:
            removed.append(line)
            continue
        if line and line.kind == "+":
            added.append(line)
            continue
        for i in range(max(len(removed), len(added))):
            yield removed[i] if i < len(removed) else None, added[i] if i < len(added) else None
        removed, added = [], []
        if line and line.kind == "-":
            removed.append(line)
        elif line:
            yield line, line


def _mark_pair(pair: Pair, code: dict[Line, str]) -> None:
    """Mark the words that changed between a removed and an added line that are alike."""
    left, right = pair
    if left is None or right is None or left is right:
        return
    old, new = _WORDS.findall(left.text), _WORDS.findall(right.text)
    if max(len(old), len(new)) > MAX_WORDS:
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.4:  # another line altogether: marks would only be noise
        return
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    code[left] = _marked(code[left], [_range(old, i, j) for _, i, j, _, _ in changes])
    code[right] = _marked(code[right], [_range(new, i, j) for _, _, _, i, j in changes])


def _range(words: list[str], start: int, end: int) -> tuple[int, int]:
    at = sum(map(len, words[:start]))
    return at, at + sum(map(len, words[start:end]))


def _marked(html: str, marks: Marks) -> str:
    """Wrap ranges of visible characters of highlighted HTML in <mark>, closing it around every tag."""
    inside = {at for start, end in marks for at in range(start, end)}
    if not inside:
        return html
    out, at, marking = list[str](), 0, False
    for piece in _PIECES.findall(html):
        is_tag = piece.startswith("<")
        wanted = not is_tag and at in inside
        if wanted != marking:
            out.append("<mark>" if wanted else "</mark>")
            marking = wanted
        out.append(piece)
        at += not is_tag
    return "".join([*out, "</mark>" if marking else ""])


_CLASS = {"+": " diff-added", "-": " diff-removed", " ": ""}
_ROW = {"+": ' class="diff-added"', "-": ' class="diff-removed"', " ": ""}


def _unified_row(line: Line, code: str, anchor: str) -> str:
    return (
        f"<tr{_ROW[line.kind]}>{_number(anchor, 'L', line.old if line.kind == '-' else 0, line.old)}"
        f"{_number(anchor, 'R', line.new, line.new)}{_cell(line, code)}</tr>"
    )


def _split_row(pair: Pair, code: dict[Line, str], anchor: str) -> str:
    left, right = pair
    cells = ""
    for line, side, number in ((left, "L", left.old if left else 0), (right, "R", right.new if right else 0)):
        if line is None:
            cells += '<td class="diff-number diff-none"></td><td class="diff-none"></td>'
            continue
        cells += _number(anchor, side, number, number, _CLASS[line.kind]) + _cell(line, code[line])
    return f"<tr>{cells}</tr>"


def _number(anchor: str, side: str, named: int, number: int, css: str = "") -> str:
    """named: the line that an address may name, 0 for none; a kept line of a unified view is named by its new side."""
    id_ = f' id="{anchor}{side}{named}"' if anchor and named else ""
    return f'<td class="diff-number{css}"{id_}>{number or ""}</td>'


def _cell(line: Line, code: str) -> str:
    """The sign is a real character, so that colour is never alone; copying leaves it out."""
    end = '<span class="diff-note"> (no newline at the end)</span>' if line.no_newline else ""
    return f'<td class="diff-code{_CLASS[line.kind]}"><span class="diff-sign">{line.kind}</span>{code}{end}</td>'
