"""Which preview a file gets: by its name, then by its first bytes."""

from __future__ import annotations

MARKDOWN = {"md", "markdown", "mdown", "mkd"}
IMAGE = {"png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico", "svg"}
AUDIO = {"mp3", "wav", "ogg", "oga", "flac", "m4a", "aac", "opus"}
VIDEO = {"mp4", "webm", "ogv", "m4v", "mov"}
TABLE = {"csv": "csv", "tsv": "tsv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet", "pq": "parquet"}
TREE = {"json": "json", "geojson": "json", "yaml": "yaml", "yml": "yaml"}
PICKLE = {"pkl", "pickle", "pt", "pth", "ckpt", "joblib"}
KINDS = {
    **dict.fromkeys(MARKDOWN, "markdown"),
    **dict.fromkeys(IMAGE, "image"),
    **dict.fromkeys(AUDIO, "audio"),
    **dict.fromkeys(VIDEO, "video"),
    **dict.fromkeys(TABLE, "table"),
    **dict.fromkeys(TREE, "tree"),
    **dict.fromkeys(PICKLE, "pickle"),
    "ipynb": "notebook",
    "pdf": "pdf",
    "safetensors": "model",
}
TEXT_KINDS = {"markdown", "notebook", "tree"}
SNIFF_BYTES = 8_000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def extension_of(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[1].lower() if "." in name else ""


def kind_of(path: str, head: bytes) -> str:
    """The kind of preview for a file of this name that begins with these bytes."""
    kind = KINDS.get(extension_of(path), "")
    if not head:
        return "empty"
    binary = is_binary(head)
    if kind in TEXT_KINDS and binary:
        return "binary"
    if kind == "video" and extension_of(path) == "mov" and not binary:
        return "code"
    if kind:
        return kind
    return "binary" if binary else "code"


def is_binary(head: bytes) -> bool:
    """Git's rule, a zero byte near the beginning; UTF-16 text with its mark is text."""
    return b"\0" in head[:SNIFF_BYTES] and not head.startswith(_UTF16)


def has_source(path: str, kind: str) -> bool:
    """Whether the file is text that people may also want to read as it was written."""
    extension = extension_of(path)
    return kind in TEXT_KINDS or extension == "svg" or (kind == "table" and TABLE[extension] != "parquet")
