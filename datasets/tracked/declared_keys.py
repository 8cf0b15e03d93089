"""Which columns name a row of a table, as the repository itself says: in .covey/config.yml, or else in its settings.

datasets:
  keys:
    data/people.csv: id
    data/sales/*.parquet: [shop, day]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from django.db import transaction

from datasets.dvc import documents
from datasets.dvc.documents import Malformed
from hub.lib.errors import Unprocessable
from repos import cache
from repos.git import read
from repos.models import Repository
from repos.place import store_of

CONFIG = ".covey/config.yml"
MAX_BYTES = 256 * 1024
MAX_COLUMNS, MAX_PATTERN, MAX_PATTERNS = 16, 300, 200


def declared_key(repository: Repository, commit: str, path: str) -> tuple[str, ...]:
    """The columns for this path at this commit: of the first pattern that matches. () when none does."""
    return _first(_of_commit(repository, commit), path) or _first(_of_settings(repository), path)


def put(repository: Repository, pattern: str, columns: Sequence[str]) -> None:
    """Say in the settings which columns name the rows of the tables at a path. Raises Unprocessable."""
    pattern, columns = pattern.strip().strip("/"), [column.strip() for column in columns if column.strip()]
    if not pattern or not columns or len(pattern) > MAX_PATTERN or len(columns) > MAX_COLUMNS:
        raise Unprocessable(
            "A key needs a path and the columns that name a row.",
            details=f"For example data/people.csv and id. At most {MAX_PATTERN} characters and {MAX_COLUMNS} columns.",
        )
    with transaction.atomic():
        Repository.objects.select_for_update(no_key=True).get(pk=repository.pk)  # counts and writes one after another
        known = repository.table_keys.exclude(pattern=pattern)
        if known.count() >= MAX_PATTERNS:
            raise Unprocessable(f"A repository keeps {MAX_PATTERNS} keys here.", details=f"Write more into {CONFIG}.")
        repository.table_keys.update_or_create(pattern=pattern, defaults={"columns": columns})


def _first(patterns: Mapping[str, tuple[str, ...]], path: str) -> tuple[str, ...]:
    return next((columns for pattern, columns in patterns.items() if fnmatchcase(path, pattern)), ())


def _of_settings(repository: Repository) -> dict[str, tuple[str, ...]]:
    return {key.pattern: _columns(key.columns) for key in repository.table_keys.order_by("pattern")}


def _of_commit(repository: Repository, commit: str) -> dict[str, tuple[str, ...]]:
    entry = read.find_entry(store_of(repository), commit, CONFIG)
    if entry is None or entry.kind != "file":
        return {}
    known: dict[str, tuple[str, ...]] = cache.by_ids(
        repository, "declared-keys", entry.oid, make=lambda: _parsed(repository, entry.oid)
    )
    return known


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
