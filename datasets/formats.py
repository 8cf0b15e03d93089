"""What a file's name says about how it can be compared."""

from __future__ import annotations

TABLES = {"csv", "tsv", "tab", "jsonl", "ndjson", "parquet", "pq", "arrow", "feather", "ipc"}
IMAGES = {"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff"}
AUDIO = {"wav", "mp3", "flac", "ogg", "m4a", "opus"}
PACKED = {"gz", "zst", "zstd"}
DATA = TABLES | IMAGES | AUDIO | {"npy", "npz", "h5", "hdf5"}


def extension(path: str) -> str:
    """The last extension, of what is inside when the file is packed: "a.csv.gz" → "csv"."""
    parts = path.rsplit("/", 1)[-1].lower().split(".")
    if len(parts) > 2 and parts[-1] in PACKED:
        parts.pop()
    return parts[-1] if len(parts) > 1 else ""


def is_table(path: str) -> bool:
    return extension(path) in TABLES


def is_data(path: str) -> bool:
    """Whether a file in git belongs to the data of a repository, and not to its code or prose."""
    return extension(path) in DATA
