"""Conflicts of lines: a place for each hunk, and the text that comes of the choices."""

from __future__ import annotations

from hub.lib.unicode import is_utf8
from repos.git import hunks
from repos.git.hunks import Hunk, Piece
from repos.git.read import shown, to_text
from repos.models import Repository
from repos.place import store_of
from repos.pulls.drivers import SIDES, Choice, Choices, Place, Sides, Unfit

BOTH, REVERSED = "both", "both-theirs-first"
LINES_AROUND = 3
MAX_SHOWN = 20_000  # characters of one side of a hunk
_ENDS_LOOKED_AT = 65_536


def places(repository: Repository, sides: Sides, start: int, limit: int) -> list[Place]:
    pieces = _pieces(repository, sides)
    at = [position for position, piece in enumerate(pieces) if isinstance(piece, Hunk)]
    return [_place(pieces, position, start + n) for n, position in enumerate(at[start : start + limit])]


def merged(repository: Repository, sides: Sides, choices: Choices) -> bytes:
    """Raises Unfit when a place is not decided."""
    chosen: dict[int, bytes] = {}
    pieces = _pieces(repository, sides)
    for number, hunk in enumerate(piece for piece in pieces if isinstance(piece, Hunk)):
        choice = choices.of(number)
        if choice is None:
            raise Unfit("This place is not decided.", number)
        chosen[number] = _lines(hunk, choice, sides.ours)
    return hunks.assembled(pieces, chosen)


def _pieces(repository: Repository, sides: Sides) -> list[Piece]:
    return hunks.pieces(store_of(repository), sides.base or b"", sides.ours, sides.theirs)


def _lines(hunk: Hunk, choice: Choice, ours: bytes) -> bytes:
    both = {BOTH: (hunk.ours, hunk.theirs), REVERSED: (hunk.theirs, hunk.ours)}
    if choice.word in both:
        first, second = both[choice.word]
        return (_ended(first, ours) if second else first) + second
    if choice.word in SIDES:
        return bytes(getattr(hunk, choice.word))
    typed = choice.text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", _end(ours).decode())
    data = typed.encode("utf-8", "surrogateescape")
    open_end = all(side and not side.endswith(b"\n") for side in (hunk.ours, hunk.theirs))
    return data if open_end else _ended(data, ours)


def _ended(data: bytes, like: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + _end(like)


def _end(data: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in data[:_ENDS_LOOKED_AT] else b"\n"


def _place(pieces: list[Piece], position: int, number: int) -> Place:
    hunk = pieces[position]
    assert isinstance(hunk, Hunk)
    sides = (hunk.base, hunk.ours, hunk.theirs)
    editable = all(len(side) <= MAX_SHOWN and b"\0" not in side and is_utf8(side) for side in sides)
    words = ("ours", "theirs", BOTH, REVERSED, "base", *(("value",) if editable else ()))
    base, ours, theirs = (shown(to_text(side))[:MAX_SHOWN] for side in sides)
    return Place(
        number=number,
        kind="lines",
        where=f"line {hunk.at:,}",
        base=base,
        ours=ours,
        theirs=theirs,
        may=words,
        suggested=ours,
        before=_around(pieces, position - 1, slice(-LINES_AROUND, None)),
        after=_around(pieces, position + 1, slice(LINES_AROUND)),
    )


def _around(pieces: list[Piece], position: int, which: slice) -> str:
    piece = pieces[position] if 0 <= position < len(pieces) else b""
    return "" if isinstance(piece, Hunk) else shown(to_text(b"".join(piece.splitlines(keepends=True)[which])))[:2_000]
