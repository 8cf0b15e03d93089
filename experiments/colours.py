"""The colour of a run: the same on every page, by its id. The style sheets know 24 hues; lines differ by dashes too."""

from __future__ import annotations

import zlib

HUES = 24
DASHES = ("solid", "dash", "dot", "dashdot")


def hue(run_id: str) -> int:
    return zlib.crc32(run_id.encode()) % HUES


def dash(run_id: str) -> str:
    return DASHES[zlib.crc32(run_id.encode()) // HUES % len(DASHES)]


def apart(place: int, count: int) -> int:
    """The hue of one of few groups: as far from the others' as can be, and the same wherever all of them are shown."""
    return place * HUES // max(1, min(count, HUES)) % HUES
