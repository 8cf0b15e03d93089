"""What two sounds are, and their waveforms. Decoded by libsndfile: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PEAKS = 600  # of a waveform
STEP_FRAMES = 128
BLOCK_FRAMES = 2048 * STEP_FRAMES
MAX_CHANNELS, MAX_SECONDS = 16, 2 * 3600
Report = Callable[[int, int | None], None]


def compare(inputs: Mapping[str, Path], folder: Path, report: Report) -> dict[str, Any]:
    """{"sides": {"base", "head"}}. inputs: both, or one of them.

    A side: {"seconds", "rate", "channels", "format", "coding", "peak", "rms": of 1, "peaks": [[low, high], ...] over
    all channels in PEAKS or fewer equal steps, "cut": whether only its beginning was read, "samples": the same
    for two sounds whose every sample is the same}. Raises ValueError.
    """
    total = 100 * len(inputs)
    sides = {}
    for number, (side, path) in enumerate(inputs.items()):
        sides[side] = _sound(side, path, lambda share, at=number: report(int(100 * (at + share)), total))  # type: ignore[misc]  # a default binds the loop's value
    return {"sides": sides}


def _sound(side: str, path: Path, report: Callable[[float], None]) -> dict[str, Any]:
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            if not 1 <= file.channels <= MAX_CHANNELS or not 1 <= file.samplerate <= 10_000_000:
                raise ValueError(f"it has {file.channels:,} channels at {file.samplerate:,} Hz.")
            return _read(file, report) | {"format": file.format, "coding": file.subtype}
    except soundfile.SoundFileError as error:
        raise ValueError(f"At {side}: this is no sound that can be read here.") from error
    except ValueError as error:
        raise ValueError(f"At {side}: {error}") from error


def _read(file: Any, report: Callable[[float], None]) -> dict[str, Any]:
    """In blocks: the length that a header claims is never believed."""
    import numpy

    limit = MAX_SECONDS * file.samplerate
    digest = hashlib.sha256(f"{file.samplerate} {file.channels}".encode())
    lows, highs, frames, power = [], [], 0, 0.0
    while frames < limit and len(
        block := file.read(min(BLOCK_FRAMES, limit - frames), dtype="float32", always_2d=True)
    ):
        frames += len(block)
        block = numpy.nan_to_num(block, posinf=1.0, neginf=-1.0)
        digest.update(block.tobytes())
        power += float(numpy.square(block, dtype="float64").sum())
        starts = numpy.arange(0, len(block), STEP_FRAMES)
        lows.append(numpy.minimum.reduceat(block.min(axis=1), starts))
        highs.append(numpy.maximum.reduceat(block.max(axis=1), starts))
        report(min(1.0, frames / max(1, min(limit, file.frames))))
    if not frames:
        raise ValueError("this sound is empty.")
    low, high = _fewer(numpy.concatenate(lows), numpy.minimum), _fewer(numpy.concatenate(highs), numpy.maximum)
    return {
        "seconds": frames / file.samplerate,
        "rate": file.samplerate,
        "channels": file.channels,
        "peak": round(float(max(high.max(), -low.min())), 4),
        "rms": round((power / (frames * file.channels)) ** 0.5, 4),
        "peaks": [[round(float(a), 3), round(float(b), 3)] for a, b in zip(low, high, strict=True)],
        "cut": frames >= limit,
        "samples": digest.hexdigest(),
    }


def _fewer(values: Any, by: Any) -> Any:
    import numpy

    if len(values) <= PEAKS:
        return values
    return by.reduceat(values, numpy.linspace(0, len(values), PEAKS, endpoint=False).astype("int64"))
