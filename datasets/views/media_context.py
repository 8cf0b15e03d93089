"""What the diff pages show of images and sounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datasets.comparison.diffs import Compared, Diff
from datasets.tracked.versions import Version
from datasets.viewer.thumbnails import EDGES
from datasets.views.links import Links
from repos.git.read import Rev
from repos.place import Place, url

SHOWN = EDGES[-1]  # pixels of the longer side
SMALL = 256  # images smaller than this are shown enlarged, pixel by pixel
WAYS = (("side", "Side by side"), ("swipe", "Swipe"), ("onion", "Onion skin"), ("difference", "Difference"))
WAVE_WIDTH, WAVE_HEIGHT = 1000, 100
SIZES_DIFFER = {
    "scaled": "The sizes differ, the shape is the same: pixels are compared at {} × {}.",
    "corner": "The sizes and shapes differ: pixels are compared from the top left corner, on {} × {}.",
}


@dataclass(frozen=True)
class Picture:
    """One side. width, height: as shown, in CSS pixels. about: of media.images."""

    side: str
    place: Place
    version: Version
    url: str
    width: int
    height: int
    about: dict[str, Any]


@dataclass(frozen=True)
class Sound:
    """One side. wave: the d of an SVG path in WAVE_WIDTH × WAVE_HEIGHT, "" when it could not be decoded."""

    side: str
    place: Place
    version: Version
    about: dict[str, Any]
    wave: str


def _sides(found: Diff) -> list[tuple[str, Rev, Version]]:
    asked = found.compared
    sides = (("base", asked.base, found.base), ("head", asked.head, found.head))
    return [(side, rev, version) for side, rev, version in sides if version is not None]


# ---- images --------------------------------------------------------------------------------------
def image(found: Diff, links: Links) -> dict[str, Any]:
    asked, result = found.compared, found.result
    both = "compared" in result
    scale = _scale([(about["width"], about["height"]) for about in result["sides"].values()], result)
    pictures = [_picture(asked, *side, result, scale) for side in _sides(found)]
    chosen = links.request.GET.get("view", "side")
    way = chosen if both and chosen in dict(WAYS) else "side"
    return {
        "pictures": pictures,
        "way": way,
        "ways": [(name, links(view=name), words) for name, words in WAYS] if both else [],
        "pixelated": scale > 1,
        "difference_url": links(format="difference"),
        "difference_size": [round(edge * scale) for edge in result.get("compared", ())],
        "note": SIZES_DIFFER[result["how"]].format(*result["compared"]) if result.get("how") else "",
        "share": found.summary["pixels_changed"] / found.summary["pixels"] if both else 0,
        "visible": found.summary["pixels_visible"] / found.summary["pixels"] if both else 0,
        "mean": found.summary.get("mean"),
    }


def _scale(sizes: list[tuple[int, int]], result: dict[str, Any]) -> float:
    """CSS pixels per pixel: one number for both sides, so that they stay comparable."""
    longest = max(result["compared"] if result.get("how") == "scaled" else [max(size) for size in sizes])
    return SMALL // longest if longest * 2 <= SMALL else min(1.0, SHOWN / longest)


def _picture(asked: Compared, side: str, rev: Rev, version: Version, result: dict[str, Any], scale: float) -> Picture:
    about = result["sides"][side]
    width, height = result["compared"] if result.get("how") == "scaled" else (about["width"], about["height"])
    small = next((edge for edge in EDGES if edge >= max(about["width"], about["height"])), SHOWN)
    address = f"{url(asked.repository, 'datasets/thumbnail', rev.commit, asked.path)}?edge={small}"
    place = Place(asked.repository, rev, asked.path)
    return Picture(side, place, version, address, round(width * scale), round(height * scale), about)


# ---- sounds --------------------------------------------------------------------------------------
def audio(found: Diff, links: Links) -> dict[str, Any]:
    sides = found.result.get("sides", {})
    longest = max((about["seconds"] for about in sides.values()), default=0)
    sounds = []
    for side, rev, version in _sides(found):
        about = sides.get(side, {})
        place = Place(found.compared.repository, rev, found.compared.path)
        sounds.append(Sound(side, place, version, about, _wave(about, longest) if about else ""))
    return {"sounds": sounds, "longest": longest, "note": found.result.get("unreadable", "")}


def _wave(about: dict[str, Any], longest: float) -> str:
    """The outline of the peaks; its width says how long the sound is beside the longest."""
    peaks = about["peaks"]
    step = WAVE_WIDTH * about["seconds"] / longest / len(peaks)
    middle = WAVE_HEIGHT / 2
    above = [f"{n * step:.1f},{middle - max(-1, min(1, high)) * middle:.1f}" for n, (_, high) in enumerate(peaks)]
    below = [f"{n * step:.1f},{middle - max(-1, min(1, low)) * middle + 0.5:.1f}" for n, (low, _) in enumerate(peaks)]
    return f"M{' L'.join([*above, *reversed(below)])}Z"


MEDIA: dict[str, Callable[[Diff, Links], dict[str, Any]]] = {"image": image, "audio": audio}
