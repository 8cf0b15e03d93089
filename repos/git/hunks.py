"""Where three versions of a text do not go together, as `git merge-file` tells it: hunks, and what is between them."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repos.git import commands

MARKS = 61  # characters of a conflict's marks; with a random word beside them, no line of a file looks like one


@dataclass(frozen=True)
class Hunk:
    """Lines on which the sides disagree. at: the line of the merged text at which it begins, hunks as long as ours."""

    base: bytes
    ours: bytes
    theirs: bytes
    at: int


Piece = bytes | Hunk


def pieces(repository: Path, base: bytes, ours: bytes, theirs: bytes) -> list[Piece]:
    """The merged text in order: what is agreed on, and hunks. Raises GitError, GitTimeout."""
    word = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="covey-hunks-") as name:
        folder = Path(name)
        for side, data in (("ours", ours), ("base", base), ("theirs", theirs)):
            (folder / side).write_bytes(data)
        out = commands.run(
            repository,
            *("merge-file", "-p", "--zdiff3", f"--marker-size={MARKS}", "-L", word, "-L", word, "-L", word),
            *(str(folder / side) for side in ("ours", "base", "theirs")),
            ok=range(128),  # how many conflicts there are
            timeout_seconds=10,
            max_bytes=256 * 1024**2,
        )
    return _parsed(out.splitlines(keepends=True), word.encode(), {"base": base, "ours": ours, "theirs": theirs})


def assembled(found: list[Piece], chosen: Mapping[int, bytes]) -> bytes:
    """The text with these bytes in the place of each hunk, counted from 0. Raises KeyError on one that is left out."""
    out, number = [], 0
    for piece in found:
        if isinstance(piece, Hunk):
            out.append(chosen[number])
            number += 1
        else:
            out.append(piece)
    return b"".join(out)


def _parsed(lines: list[bytes], word: bytes, sides: Mapping[str, bytes]) -> list[Piece]:
    """git's output begins a conflict with <<<, then |||, ===, >>>; all but === carry the word."""
    marks = {mark * MARKS + b" " + word: side for mark, side in ((b"<", "ours"), (b"|", "base"), (b">", ""))}
    found: list[Piece] = []
    agreed: list[bytes] = []
    inside: dict[str, list[bytes]] = {}
    side, line_number = "", 1
    for line in lines:
        bare = line.rstrip(b"\r\n")
        if bare in marks:
            side = marks[bare]
            if side == "ours":
                found += [b"".join(agreed)] if agreed else []
                agreed, inside = [], {"ours": [], "base": [], "theirs": []}
            elif not side:
                found.append(_hunk(inside, sides, line_number))
                line_number += len(inside["ours"])
        elif side == "base" and bare == b"=" * MARKS:
            side = "theirs"
        elif side:
            inside[side].append(line)
        else:
            agreed.append(line)
            line_number += 1
    return [*found, b"".join(agreed)] if agreed else found


def _hunk(inside: Mapping[str, list[bytes]], sides: Mapping[str, bytes], at: int) -> Hunk:
    """git ends every line before a mark, also the last one of a file that has no line end there."""
    texts = {}
    for side, lines in inside.items():
        text = b"".join(lines)
        texts[side] = text if text in sides[side] else text.removesuffix(b"\n").removesuffix(b"\r")
    return Hunk(texts["base"], texts["ours"], texts["theirs"], at)
