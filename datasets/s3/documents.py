"""S3's XML, in and out. Plain Python. Bodies of strangers are parsed by defusedxml: no entities, no DTD."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError  # only the names; parsing is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from datasets.s3.errors import S3Error
from hub.lib.numbers import whole

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
MAX_KEYS, MAX_PARTS = 1_000, 10_000
MAX_BODY_BYTES = 4 * 1024 * 1024  # 1,000 keys of 1,024 bytes, escaped; 10,000 parts with checksums
_SPECIAL = re.compile(r"[&<>\"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


# ---- out -----------------------------------------------------------------------------------------
class Markup(str):
    """XML that is made already."""


def node(name: str, *children: object) -> Markup:
    """<name>children</name>: markup as it is, other values escaped, None left out."""
    inner = "".join(
        child if isinstance(child, Markup) else escaped(str(child)) for child in children if child is not None
    )
    return Markup(f"<{name}>{inner}</{name}>")


def many(nodes: Iterable[Markup]) -> Markup:
    return Markup("".join(nodes))


def document(name: str, *children: object) -> bytes:
    inner = node(name, *children)
    return f'{HEAD}<{name} xmlns="{NAMESPACE}">{inner[len(name) + 2 :]}'.encode("utf-8", "replace")


def error_document(code: str, message: str, resource: str, request_id: str) -> bytes:
    inner = node("Error", node("Code", code), node("Message", message), node("Resource", resource))
    return f"{HEAD}{inner.removesuffix('</Error>')}{node('RequestId', request_id)}</Error>".encode("utf-8", "replace")


def escaped(text: str) -> str:
    """Characters that XML cannot hold become references, as S3 sends them; clients ask for encoding-type=url."""
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or f"&#x{ord(match[0]):x};", text)


def url_encoded(text: str) -> str:
    return quote(text, safe="/-_.~*", errors="surrogateescape")


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


# ---- in ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Part:
    """One part that a completion names. etag without its quotes."""

    number: int
    etag: str


def completion(body: bytes) -> list[Part]:
    """The parts of a CompleteMultipartUpload, in their order. Raises S3Error."""
    root = _root(body, "CompleteMultipartUpload")
    parts = []
    for child in root:
        if _name(child) != "Part":
            continue
        number, etag = whole(_child(child, "PartNumber"), least=1, most=MAX_PARTS), _child(child, "ETag").strip('"')
        if number is None or not etag:
            raise S3Error("MalformedXML", "A part needs a PartNumber from 1 to 10000 and an ETag.")
        parts.append(Part(number, etag))
    if not parts:
        raise S3Error("MalformedXML", "A multipart upload is completed with at least one part.")
    if [p.number for p in parts] != sorted({p.number for p in parts}):
        raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
    return parts


@dataclass(frozen=True)
class Deletion:
    keys: list[str]
    quiet: bool


def deletion(body: bytes) -> Deletion:
    """The keys of a DeleteObjects. Raises S3Error."""
    root = _root(body, "Delete")
    keys = []
    for child in root:
        if _name(child) == "Object":
            if _child(child, "VersionId") not in {"", "null"}:
                raise S3Error("NoSuchVersion", "This hub keeps one version of an object.")
            keys.append(_child(child, "Key"))
    if not 1 <= len(keys) <= MAX_KEYS or not all(keys):
        raise S3Error("MalformedXML", "Name 1 to 1,000 objects, each by its key.")
    return Deletion(keys, _child(root, "Quiet").lower() == "true")


def _root(body: bytes, name: str) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise S3Error("MalformedXML", "The XML you provided was not well-formed or did not validate.") from error
    if _name(root) != name:
        raise S3Error("MalformedXML", f"The XML you provided is no {name}.")
    return root


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> str:
    """The text of a child; "" where there is none. Spaces belong to a key."""
    return next((child.text or "" for child in element if _name(child) == name), "")
