"""What two images are, and where their pixels differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from datasets.media.names import DIFFERENCE
from hub.lib.previews import thumbnails

MAX_PIXELS = 40_000_000  # of each; both are held decoded
VISIBLE = 8  # of 255: less is hardly seen
COLOR = (214, 0, 128)  # of what differs
STRENGTH, LEAST = 4, 40  # how much of COLOR a difference gets
QUALITY, EDGE = 80, 1024
Report = Callable[[int, int | None], None]


@dataclass(frozen=True)
class _Picture:
    """image: upright, in 8 or 32 bits. about: what is told of the file."""

    image: Any
    about: dict[str, Any]


def compare(inputs: Mapping[str, Path], folder: Path, report: Report) -> dict[str, Any]:
    """{"sides": {"base", "head": what each image is}}, and of two images also {"compared": [width, height], "how",
    "pixels", "pixels_changed", "pixels_visible", "mean", "max"} and a picture of the difference, written to folder.

    inputs: base and head, or one of them. The difference of a pixel is the largest of its channels', 0 to 255.
    how: what was done about different sizes: "", scaled or corner. A side: {"width", "height", "format", "mode",
    "frames", "color": the average, "turned": by its EXIF, "alpha"}. Raises ValueError.
    """
    pictures = {side: _picture(side, path) for side, path in inputs.items()}
    sides = {"sides": {side: picture.about for side, picture in pictures.items()}}
    if len(pictures) < 2:
        return sides
    report(1, 2)
    one, other, how = _same_size(*_same_depth(pictures["base"].image, pictures["head"].image))
    found = _difference(one, other)
    counts = found.histogram()
    pixels = sum(counts)
    _drawn(other, found).save(folder / DIFFERENCE, "WEBP", quality=QUALITY, method=3)
    return sides | {
        "compared": list(found.size),
        "how": how,
        "pixels": pixels,
        "pixels_changed": pixels - counts[0],
        "pixels_visible": sum(counts[VISIBLE:]),
        "mean": sum(value * count for value, count in enumerate(counts)) / pixels,
        "max": max(value for value, count in enumerate(counts) if count),
    }


def _picture(side: str, file: Path) -> _Picture:
    try:
        return _read(file)
    except ValueError as error:
        raise ValueError(f"At {side}: {error}") from error


def _read(file: Path) -> _Picture:
    from PIL import ImageOps

    with thumbnails.opened(str(file)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"This image has more than the {MAX_PIXELS:,} pixels that are compared here.")
        turned = image.getexif().get(0x0112, 1) not in {1, None}
        about = {"format": str(image.format), "mode": image.mode, "frames": getattr(image, "n_frames", 1)}
        image.load()
        shown = image.convert("F") if thumbnails.is_wide(image) else thumbnails.shown(image)
        shown = ImageOps.exif_transpose(shown)
    about |= {"width": shown.width, "height": shown.height, "turned": turned, "alpha": shown.mode == "RGBA"}
    return _Picture(shown, about | {"color": _color(shown)})


def _color(image: Any) -> str:
    """The average, as #rrggbb; of what is transparent nothing counts."""
    small = image if image.mode != "F" else _scaled(image, *image.getextrema())
    red, green, blue, alpha = small.convert("RGBA").convert("RGBa").resize((1, 1)).convert("RGBA").getpixel((0, 0))
    return f"#{red:02x}{green:02x}{blue:02x}" if alpha else ""


# ---- made comparable -----------------------------------------------------------------------------
def _same_depth(one: Any, other: Any) -> tuple[Any, Any]:
    """Wide images by one scale, so that equal values stay equal; then both with alpha or both without."""
    if one.mode == other.mode == "F":
        extremes = (*one.getextrema(), *other.getextrema())
        one, other = (_scaled(image, min(extremes), max(extremes)) for image in (one, other))
    one, other = (_scaled(image, *image.getextrema()) if image.mode == "F" else image for image in (one, other))
    mode = "RGBA" if "RGBA" in {one.mode, other.mode} else "RGB"
    return one.convert(mode), other.convert(mode)


def _scaled(image: Any, low: float, high: float) -> Any:
    scale = 255 / (high - low) if high > low else 0.0
    return image.point(lambda value: value * scale - low * scale).convert("L")


def _same_size(one: Any, other: Any) -> tuple[Any, Any, str]:
    """Of the same shape: at the smaller size. Else side by side from the top left corner, on transparent ground."""
    from PIL import Image

    if one.size == other.size:
        return one, other, ""
    (a, b), (c, d) = one.size, other.size
    if abs(a * d - b * c) <= 0.01 * max(a * d, b * c):
        size = (a, b) if a * b <= c * d else (c, d)
        return one.resize(size), other.resize(size), "scaled"
    size = (max(a, c), max(b, d))
    if size[0] * size[1] > MAX_PIXELS:
        raise ValueError("These images are too large and too different in shape to be compared pixel by pixel.")
    grounds = [Image.new("RGBA", size) for _ in range(2)]
    for ground, image in zip(grounds, (one, other), strict=True):
        ground.paste(image, (0, 0))
    return grounds[0], grounds[1], "corner"


# ---- compared ------------------------------------------------------------------------------------
def _difference(one: Any, other: Any) -> Any:
    """The largest difference of each pixel's channels; the colour of what is transparent does not count."""
    from PIL import ImageChops

    bands = list(ImageChops.difference(_on(one, 0), _on(other, 0)).split())
    if one.mode == "RGBA":
        bands.append(ImageChops.difference(one.getchannel("A"), other.getchannel("A")))
    return reduce(ImageChops.lighter, bands)


def _on(image: Any, ground: int) -> Any:
    """Without alpha, on black (0) or white (255)."""
    from PIL import Image

    if image.mode == "RGB":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, (ground, ground, ground, 255)), image).convert("RGB")


def _drawn(head: Any, found: Any) -> Any:
    """The head, pale and grey, with what differs coloured; at most EDGE long."""
    from PIL import Image

    by = -(-max(found.size) // EDGE)
    strength = _pooled(found, by).point([0, *(min(255, LEAST + value * STRENGTH) for value in range(1, 256))])
    pale = _on(head.reduce(by), 255).convert("L").point([150 + value * 105 // 255 for value in range(256)])
    drawn = pale.convert("RGB")
    drawn.paste(Image.new("RGB", drawn.size, COLOR), mask=strength)
    return drawn


def _pooled(found: Any, by: int) -> Any:
    """Made smaller without losing a single pixel that differs: the largest of each block stands for it."""
    import numpy
    from PIL import Image

    if by == 1:
        return found
    values = numpy.asarray(found)
    height, width = -(-values.shape[0] // by) * by, -(-values.shape[1] // by) * by
    values = numpy.pad(values, ((0, height - values.shape[0]), (0, width - values.shape[1])))
    return Image.fromarray(values.reshape(height // by, by, width // by, by).max(axis=(1, 3)))
