"""Lists of branches and tags, one process for all of them. refs/exps and other namespaces stay hidden."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from repos.git import cli
from repos.git.history import moment
from repos.git.read import to_text

_FIELDS = (
    "%(refname)",
    "%(objectname)",
    "%(objecttype)",
    "%(*objectname)",
    "%(*objecttype)",
    "%(creatordate:unix)",
    "%(authorname)%(taggername)",
    "%(subject)",
)


@dataclass(frozen=True)
class RefRow:
    """A branch or tag. commit: the commit it stands for (annotated tags peeled). subject: of the commit or tag."""

    name: str
    commit: str
    when: datetime
    who: str
    subject: str
    annotated: bool = False


def branches(store: Path) -> list[RefRow]:
    """Newest first."""
    return _list(store, "refs/heads/")


def tags(store: Path) -> list[RefRow]:
    """Newest first; tags of trees and blobs are left out."""
    return _list(store, "refs/tags/")


def _list(store: Path, prefix: str) -> list[RefRow]:
    if not store.is_dir():
        return []
    out = cli.run(store, "for-each-ref", "--sort=-creatordate", f"--format={'%00'.join(_FIELDS)}%00", prefix)
    rows = []
    for line in out.split(b"\0\n"):
        fields = line.split(b"\0")
        if len(fields) != len(_FIELDS):
            continue
        name, oid, kind, peeled, peeled_kind, when, who, subject = fields
        annotated = kind == b"tag"
        if (peeled_kind if annotated else kind) == b"commit":
            rows.append(
                RefRow(
                    name=to_text(name.removeprefix(prefix.encode())),
                    commit=(peeled if annotated else oid).decode(),
                    when=moment(when.decode()),
                    who=who.decode("utf-8", "replace"),
                    subject=subject.decode("utf-8", "replace")[:200],
                    annotated=annotated,
                )
            )
    return rows
