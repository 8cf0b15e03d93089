"""One page of what a diff found, read from its file in the sandbox's short calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets import results, sandboxed
from datasets.comparison import comparing
from datasets.comparison.diffs import Diff
from datasets.viewer import table_queries
from datasets.viewer.table_queries import Filter
from hub.lib.errors import Busy, Invalid, Upstream
from hub.lib.sandbox import Overrun, Unreadable

PER_PAGE = 100
PAGED = ("table", "files")  # kinds of diffs whose result is a file of rows
MAX_SHOWN_COLUMNS = 60
ROW_STATUSES = ("added", "removed", "changed", "rewritten")
FILE_STATUSES = ("added", "removed", "modified", "renamed")


@dataclass(frozen=True)
class Page:
    """rows: of this page. total: that match. number: from 1. columns: shown ones of a table, in order."""

    rows: list[dict[str, Any]]
    total: int
    number: int
    columns: list[str]

    @property
    def count(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def rows(
    found: Diff,
    *,
    number: int,
    statuses: list[str],
    changed: str = "",
    filters: Sequence[Filter] = (),
    all_columns: bool = True,
) -> Page:
    """Rows of a table that differ. statuses: [] for added, removed and changed. filters: only rows that fulfil them all
    before, or after. all_columns: else the key and those that changed. Raises Invalid for an unknown status, Busy."""
    chosen = _chosen(statuses, ROW_STATUSES, default=ROW_STATUSES[:3])
    columns = columns_of(found.result, all_columns=all_columns)
    known = found.result["schema"]["columns"]
    wanted = [
        {"column": known[f.column]["name"], "kind": known[f.column]["kind"], "op": f.op, "value": f.value}
        for f in filters
    ]
    answer = _call(found, "rows", number, statuses=chosen, columns=columns, changed=changed, filters=wanted)
    return Page(answer["rows"], answer["total"], number, columns)


def filters_of(found: Diff, texts: list[str]) -> list[Filter]:
    """ "column:op:value", as on the page of one table; of columns that both versions have. Raises Invalid."""
    columns = found.result["schema"]["columns"]
    numbers = {column["name"]: number for number, column in enumerate(columns)}
    if len(texts) > table_queries.MAX_FILTERS:
        raise Invalid(f"At most {table_queries.MAX_FILTERS} filters can be given.")
    return [table_queries.filter_of(text, columns, numbers) for text in texts if text]


def files(found: Diff, *, number: int, statuses: list[str], text: str = "", unfold: bool = False) -> Page:
    """Files that differ, with sizes in bytes (None: not known) and whether the head's bytes are here."""
    chosen = _chosen(statuses, FILE_STATUSES, default=FILE_STATUSES)
    answer = _call(found, "files", number, statuses=chosen, text=text, unfold=unfold)
    hashes = {row[name] for row in answer["rows"] for name in ("old_hash", "hash") if row[name]}
    sizes = comparing.sizes_of(found.compared.repository, sorted(hashes))
    for row in answer["rows"]:
        row["old_size"], row["size"] = sizes.get(row["old_hash"] or ""), sizes.get(row["hash"] or "")
    return Page(answer["rows"], answer["total"], number, [])


def columns_of(result: dict[str, Any], *, all_columns: bool) -> list[str]:
    """Names of the columns to show: the key, then those with changes, then the others. result: of tables.diff."""
    schema, key = result["schema"], result["key"]["columns"]
    cells = {cell["column"] for cell in result["cells"]}
    others = [column["name"] for column in schema["columns"]]
    gone = [column["name"] for column in (*schema["added"], *schema["removed"])]
    changed = [name for name in others if name in cells]
    wanted = [*key, *changed, *(others + gone if all_columns else [])]
    return list(dict.fromkeys(wanted))[:MAX_SHOWN_COLUMNS]


def _chosen(given: list[str], known: tuple[str, ...], *, default: tuple[str, ...]) -> list[str]:
    names = [name for text in given for name in text.split(",") if name]
    if wrong := [name for name in names if name not in known]:
        raise Invalid(f"There is no status '{wrong[0][:40]}'.", details=f"Use one of {', '.join(known)}.")
    return names or list(default)


def _call(found: Diff, function: str, number: int, **options: Any) -> dict[str, Any]:
    try:
        answer = sandboxed.call(
            f"pages:{function}",
            files=[results.place_of(found.compared.repository.pk, found.digest)],
            offset=(number - 1) * PER_PAGE,
            limit=PER_PAGE,
            **options,
        )
    except FileNotFoundError as error:
        raise Busy(
            "The result of this diff was removed just now.", details="Ask again; it is made once more."
        ) from error
    except (Unreadable, Overrun) as error:
        raise Upstream(
            "This page of the diff could not be read.", details="Try again, or choose fewer rows."
        ) from error
    return dict(answer)
