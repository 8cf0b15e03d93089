"""Worker: a small picture of an image file, made again from its pixels: nothing else of the file survives."""

from __future__ import annotations

import base64
import io
import warnings
from typing import Any

FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO"]
MAX_PIXELS = 64_000_000  # 256 MB when decoded; a PNG of a few KiB can claim any number
QUALITY = 80


def thumbnail(payload: bytes, *, files: list[str], edge: int) -> dict[str, Any]:
    """{"webp": base64, "width", "height": of the small picture; "of": [width, height, format] of the file}.

    files[0]: the image; of animations and pages the first. Never larger than the image itself. Raises ValueError.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    try:
        with Image.open(files[0], formats=FORMATS) as image:
            width, height, format = *image.size, str(image.format)
            if width * height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.draft("RGB", (edge, edge))  # a JPEG is decoded at a fraction of its size
            small = _shown(image)
            small.thumbnail((edge, edge))
            small = ImageOps.exif_transpose(small)
    except UnidentifiedImageError as error:
        raise ValueError("This is not an image that can be read.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"This image has more than {MAX_PIXELS:,} pixels.") from error
    except (OSError, SyntaxError, EOFError, ArithmeticError) as error:
        raise ValueError("This image is damaged or cut off.") from error
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=3)
    return {
        "webp": base64.b64encode(out.getvalue()).decode(),
        "width": small.width,
        "height": small.height,
        "of": [width, height, format],
    }


def _shown(image: Any) -> Any:
    """The same in 8 bits per channel. Depth maps and masks of 16 or 32 bits are stretched from darkest to brightest."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        wide = image.convert("F")
        low, high = wide.getextrema()
        scale = 255 / (high - low) if high > low else 0.0
        return wide.point(lambda value: value * scale - low * scale).convert("L")
    if image.mode in {"P", "PA", "LA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")
