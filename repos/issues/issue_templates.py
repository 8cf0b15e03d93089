"""What a new issue begins with: Markdown files of the default branch, as GitHub has them, read as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from repos import browsing, cache
from repos.git import read
from repos.git.read import TreeEntry
from repos.models import Repository
from repos.place import Place

FOLDERS = (".covey/ISSUE_TEMPLATE", ".github/ISSUE_TEMPLATE")
MOST_TEMPLATES, MOST_BYTES = 20, 64 * 1024
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?\n?", re.DOTALL | re.MULTILINE)
_ALIAS = re.compile(r"(?:^|[\s\[{:,-])[&*]\w")  # an alias may stand for itself a million times over
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Template:
    """file: its name, without folders. labels: names, which may be unknown."""

    file: str
    name: str
    about: str
    title: str
    labels: tuple[str, ...]
    body: str


def templates_of(repository: Repository) -> list[Template]:
    """Of the default branch, by file name; .covey goes before .github."""
    return in_folders(repository, "issue-templates", FOLDERS)


def in_folders(repository: Repository, kind: str, folders: Sequence[str], files: Sequence[str] = ()) -> list[Template]:
    """Those in these folders of the default branch and these files, by file name; of one name the first counts.

    kind: what they are kept as, until the branch moves.
    """
    rev = browsing.default_rev(repository)
    if rev is None:
        return []
    place = Place(repository, rev)
    return cache.by_ids(repository, kind, rev.commit, make=lambda: _read(place, folders, files))


def template_named(repository: Repository, file: str) -> Template | None:
    return next((found for found in templates_of(repository) if found.file == file), None)


def _read(place: Place, folders: Sequence[str], files: Sequence[str]) -> list[Template]:
    found: dict[str, Template] = {}
    for file in _entries(place, folders, files):
        wanted = file.kind == "file" and file.name.lower().endswith(".md") and (file.size or 0) <= MOST_BYTES
        if wanted and file.name not in found and len(found) < MOST_TEMPLATES:
            data = read.read_blob(place.store, file.oid, limit_bytes=MOST_BYTES).data
            found[file.name] = template_from(read.shown(file.name), data.decode("utf-8", "replace"))
    return [found[name] for name in sorted(found)]


def _entries(place: Place, folders: Sequence[str], files: Sequence[str]) -> Iterator[TreeEntry]:
    for path in files:
        if (file := read.find_entry(place.store, place.commit, path)) is not None:
            yield file
    for path in folders:
        folder = read.find_entry(place.store, place.commit, path)
        if folder is not None and folder.kind == "dir":
            yield from read.read_tree(place.store, folder.oid)


def template_from(file: str, text: str) -> Template:
    """A head that cannot be read counts as none."""
    text = text.replace("\0", "\ufffd")
    match = _FRONT.match(text)
    head = _head(match[1]) if match else {}
    labels = head.get("labels") or ()
    if isinstance(labels, str):
        labels = labels.split(",")
    return Template(
        file=file,
        name=_line(head.get("name")) or file.removesuffix(".md"),
        about=_line(head.get("about") or head.get("description")),
        title=_line(head.get("title")),
        labels=tuple(_line(label) for label in labels)[:20] if isinstance(labels, list | tuple) else (),
        body=text[match.end() :].lstrip("\r\n") if match else text,
    )


def _head(text: str) -> dict[str, Any]:
    if _ALIAS.search(text):
        return {}
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader
    except (yaml.YAMLError, RecursionError, ValueError):  # ValueError: a date that no calendar has
        return {}
    return value if isinstance(value, dict) else {}


def _line(value: object) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
