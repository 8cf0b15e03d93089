"""Names of DVC objects: the md5 of their bytes, ".dir" after it for the manifest of a directory."""

from __future__ import annotations

import re

BUCKET = "dvc"
OID_PATTERN = r"[0-9a-f]{32}(?:\.dir)?"
_OID = re.compile(OID_PATTERN)


def is_oid(text: str) -> bool:
    return _OID.fullmatch(text) is not None


def is_manifest(oid: str) -> bool:
    return oid.endswith(".dir")


def key_of(oid: str, *, legacy: bool = False) -> str:
    """The object's key in a remote: files/md5/ab/cd… since DVC 3, ab/cd… before (legacy)."""
    return f"{oid[:2]}/{oid[2:]}" if legacy else f"files/md5/{oid[:2]}/{oid[2:]}"


def oid_of(key: str) -> str:
    """The other way round, of either layout."""
    return "".join(key.split("/")[-2:])
