"""What a file's name says about how it can be compared."""

from __future__ import annotations

TABLES = {"csv", "tsv", "tab", "jsonl", "ndjson", "parquet", "pq", "arrow", "feather", "ipc"}
IMAGES = {"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff"}
AUDIO = {"wav", "mp3", "flac", "ogg", "m4a", "opus"}
STRUCTURES = {"json": "json", "geojson": "json", "yaml": "yaml", "yml": "yaml"}  # and how they are read
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


def kind_of(path: str) -> str:
    """How two versions are compared: table, image, audio, structure or notebook; "" when their bytes tell."""
    if is_table(path):
        return "table"
    inside = extension(path)
    if inside in STRUCTURES:
        return "structure"
    if inside == "ipynb":
        return "notebook"
    if is_packed(path):  # pictures and sounds are packed already
        return ""
    return "image" if inside in IMAGES else "audio" if inside in AUDIO else ""


def is_packed(path: str) -> bool:
    return path.lower().rpartition(".")[2] in PACKED


def is_data(path: str) -> bool:
    """Whether a file in git belongs to the data of a repository, and not to its code or prose."""
    return extension(path) in DATA
