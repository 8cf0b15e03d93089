"""Worker: a small picture of an image file, made again from its pixels: nothing else of the file survives."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

# Imported here with the plugins of FORMATS, so that the warm process has them before it forks.
from PIL import (
    AvifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageOps,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO"]
MAX_PIXELS = 64_000_000  # 256 MB when decoded; a PNG of a few KiB can claim any number
PLUGINS = (AvifImagePlugin, IcoImagePlugin, TiffImagePlugin, WebPImagePlugin)
Image.preinit()  # PNG, JPEG, GIF, BMP
QUALITY, EXACT_PIXELS = 80, 128 * 128  # of a small image every pixel is seen
TINY_EDGE = 64  # a digit of 8 x 8 pixels becomes squares, as a browser would only blur it


def thumbnail(payload: bytes, *, files: list[str], edge: int) -> dict[str, Any]:
    """{"webp": base64, "width", "height": of the small picture; "of": [width, height, format] of the file}.

    files[0]: the image; of animations and pages the first. Never larger than the image itself, but for tiny ones,
    whose pixels become squares. Raises ValueError.
    """
    with opened(files[0]) as image:
        of = [image.width, image.height, str(image.format)]
        image.draft("RGB", (edge, edge))  # a JPEG is decoded at a fraction of its size
        small = shown(image)
        small.thumbnail((edge, edge))
        small = ImageOps.exif_transpose(small)
    if max(small.size) <= min(TINY_EDGE, edge // 2):
        small = ImageOps.scale(small, edge // max(small.size), Image.Resampling.NEAREST)
    out = io.BytesIO()
    exact = small.width * small.height <= EXACT_PIXELS or max(of[:2]) <= TINY_EDGE
    small.save(out, "WEBP", quality=QUALITY, method=3, lossless=exact)
    return {
        "webp": base64.b64encode(out.getvalue()).decode(),
        "width": small.width,
        "height": small.height,
        "of": of,
    }


def size(payload: bytes) -> list[int]:
    """Width and height that an image claims in its header, which payload begins with; nothing is decoded. Raises
    ValueError."""
    with opened(io.BytesIO(payload), most=None) as image:
        return [image.width, image.height]


@contextmanager
def opened(file: str | IO[bytes], *, most: int | None = MAX_PIXELS) -> Iterator[Any]:
    """An image of a known format with a bounded number of pixels; what its decoder raises becomes a sentence."""
    Image.MAX_IMAGE_PIXELS = most
    warnings.simplefilter("ignore")
    try:
        with Image.open(file, formats=FORMATS) as image:
            if most is not None and image.width * image.height > most:
                raise Image.DecompressionBombError
            yield image
    except UnidentifiedImageError as error:
        raise ValueError("This is not an image that can be read.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"This image has more than {most:,} pixels.") from error
    except (OSError, SyntaxError, EOFError, ArithmeticError) as error:
        raise ValueError("This image is damaged or cut off.") from error


def is_wide(image: Any) -> bool:
    """More than 8 bits per channel: a depth map, a mask."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;")


def shown(image: Any) -> Any:
    """The same in 8 bits per channel. Depth maps and masks of 16 or 32 bits are stretched from darkest to brightest."""
    if is_wide(image):
        wide = image.convert("F")
        low, high = wide.getextrema()
        scale = 255 / (high - low) if high > low else 0.0
        return wide.point(lambda value: value * scale - low * scale).convert("L")
    if image.mode in {"P", "PA", "LA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")
