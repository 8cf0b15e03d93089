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
    "onnx": "onnx",
}
NAMES = {"MLmodel": "mlmodel"}
TEXT_KINDS = {"markdown", "notebook", "tree", "mlmodel", "page"}
PAGE = {"html", "htm"}
SNIFF_BYTES = 8_000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_ZIP = b"PK\x03\x04"
# How the files of pictures begin that no browser draws otherwise; AVIF says so a little later.
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"\0\0\1\0", b"\0\0\2\0")


def extension_of(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[1].lower() if "." in name else ""


def kind_of(path: str, head: bytes) -> str:
    """The kind of preview for a file of this name that begins with these bytes: a file that lies about what it is gets
    the preview of what it is."""
    name = path.rsplit("/", 1)[-1]
    kind = KINDS.get(extension_of(path), "") or NAMES.get(name, "")
    if not head:
        return "empty"
    binary = is_binary(head)
    if head.startswith(_PICKLES) and (binary or kind not in {"", "image", "audio", "video"}):
        return "pickle"
    if extension_of(path) == "bin" and "model" in name and head.startswith(_ZIP):
        return "pickle"  # what torch.save wrote before safetensors
    if kind == "image" and extension_of(path) != "svg" and not _is_picture(head):
        return "binary" if binary else "code"
    if kind in TEXT_KINDS and binary:
        return "binary"
    if kind == "video" and extension_of(path) == "mov" and not binary:
        return "code"
    if kind:
        return kind
    return "binary" if binary else "code"


def _is_picture(head: bytes) -> bool:
    return head.startswith(_PICTURES) or head[4:8] == b"ftyp"


def is_binary(head: bytes) -> bool:
    """Git's rule, a zero byte near the beginning; UTF-16 text with its mark is text."""
    return b"\0" in head[:SNIFF_BYTES] and not head.startswith(_UTF16)


def has_source(path: str, kind: str) -> bool:
    """Whether the file is text that people may also want to read as it was written."""
    extension = extension_of(path)
    return kind in TEXT_KINDS or extension == "svg" or (kind == "table" and TABLE[extension] != "parquet")
