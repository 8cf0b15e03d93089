"""Which of MLflow's routes are open, and what each needs. The list is routes.txt; what is not in it does not exist."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote_to_bytes

from hub.lib.errors import Invalid
from repos.models import Access

ROUTES_FILE = Path(__file__).with_name("routes.txt")
_NEEDS = {"read": Access.READ, "write": Access.WRITE}
_PARAMETER = re.compile(r"<(?:(path):)?[a-z_]+(?::(path))?>")
_STILL_ENCODED = re.compile(r"%[0-9a-fA-F]{2}")
# What log_image of older clients names its files: KEY%step%3%timestamp%1700000000000%UUID.png. Its "%17" looks encoded,
# but whoever decodes it again finds no border of segments, no dot and no sign of an address.
_STEPPED = re.compile(
    r"%step%(?:0|[1-9]\d{0,17})%timestamp%1\d{12}"
    r"%(?!0[09ad]|2[35ef]|3b|5c)[0-9a-z][0-9a-f]{7}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_FORBIDDEN = frozenset("\\;#")
_PATH_PARAMETERS = frozenset({"path", "artifact_path", "artifact_file_path", "artifact_directory_path"})
BAD_PATH = "The path holds a form that is not accepted: '.', '..', '//', '\\', ';', '#' or a double encoding."


def listed() -> list[tuple[str, str, str]]:
    """(kind, method, path) of every line; kind is read, write or closed."""
    lines = ROUTES_FILE.read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [(kind, method, path) for kind, method, path in rows]


@lru_cache(maxsize=1)
def open_routes() -> list[tuple[str, str, Access]]:
    """(method, pattern of the path without its leading slash, need) of every open route."""
    return [(method, pattern_of(path), _NEEDS[kind]) for kind, method, path in listed() if kind != "closed"]


def pattern_of(path: str) -> str:
    """Flask's <name> is one segment, <path:name> any number of them."""
    out, last = "", 0
    for match in _PARAMETER.finditer(path):
        out += re.escape(path[last : match.start()]) + (".+" if "path" in match.groups() else "[^/]+")
        last = match.end()
    return (out + re.escape(path[last:])).removeprefix("/")


MAX_NAME_BYTES = 250  # file systems take 255, also those behind S3 stores; a backup adds one


def clean_path(raw: str) -> str:
    """Decode a path once. Raises Invalid for every form that a second reader might understand differently."""
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise Invalid("The path is not UTF-8.") from error
    # An encoded slash would move the border between segments after the route was chosen.
    if "%2f" in raw.lower() or not _is_plain(path):
        raise Invalid(BAD_PATH, details="Use plain names joined by single slashes.")
    _check_names(path)
    return path


def _check_names(path: str) -> None:
    if any(len(name.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES for name in path.split("/")):
        raise Invalid(f"A part of the path is longer than {MAX_NAME_BYTES} bytes.", details="Use a shorter name.")


def check_query(query: bytes) -> None:
    """Hold `path=` parameters to the rule of clean_path. Raises Invalid."""
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in _PATH_PARAMETERS or not value:
            continue
        if value.startswith("/") or not _is_plain(value.rstrip("/")):
            raise Invalid(BAD_PATH, details="Use a path relative to the run's artifacts.")
        _check_names(value)


def _is_plain(path: str) -> bool:
    if _STILL_ENCODED.search(_STEPPED.sub(" ", path)):
        return False
    if _FORBIDDEN & set(path) or any(ord(letter) < 32 for letter in path):
        return False
    segments = path.removesuffix("/").split("/") if path else []
    return not any(segment in {"", ".", ".."} for segment in segments)
