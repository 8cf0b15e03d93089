"""Which columns name a row of a table, as the repository itself says in .covey/config.yml:

datasets:
  keys:
    data/people.csv: id
    data/sales/*.parquet: [shop, day]
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from datasets.dvc import documents
from datasets.dvc.documents import Malformed
from repos import cache
from repos.git import read
from repos.models import Repository
from repos.place import store_of

CONFIG = ".covey/config.yml"
MAX_BYTES = 256 * 1024
MAX_COLUMNS = 16


def declared_key(repository: Repository, commit: str, path: str) -> tuple[str, ...]:
    """The columns for this path at this commit: of the first pattern that matches. () when none does."""
    entry = read.find_entry(store_of(repository), commit, CONFIG)
    if entry is None or entry.kind != "file":
        return ()
    known: dict[str, tuple[str, ...]] = cache.by_ids(
        repository, "declared-keys", entry.oid, make=lambda: _parsed(repository, entry.oid)
    )
    return next((columns for pattern, columns in known.items() if fnmatchcase(path, pattern)), ())


def _parsed(repository: Repository, oid: str) -> dict[str, tuple[str, ...]]:
    blob = read.read_blob(store_of(repository), oid, limit_bytes=MAX_BYTES)
    try:
        document = documents.load(blob.data) if blob.complete else None
    except Malformed:
        return {}  # a file that cannot be read declares nothing; the diff then says that its key is a guess
    found = _mapping(_mapping(document).get("datasets")).get("keys")
    return {pattern: columns for pattern, value in _mapping(found).items() if (columns := _columns(value))}


def _columns(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    return tuple(column for column in given if isinstance(column, str) and column)[:MAX_COLUMNS]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
