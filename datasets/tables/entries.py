"""Two lists of files compared, of any length: added, removed, modified, renamed (same contents under another path).

A list is made of text files ("path<TAB>hash" lines) and of manifests kept as Parquet (path, md5), each below a prefix.
What differs is written to files.parquet in the work folder, by path: status, path, old_path (of renamed ones),
old_hash, hash, moved_from and moved_to (of files in a folder that moved as a whole).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets.tables.engine import Connection, Report, connect, literal
from datasets.tables.names import FILES, HASHES, MANIFEST, MAX_HASHES

MAX_FOLDERS = 200  # moved folders that are named
MAX_PATH_CHARACTERS = 4_096
EMPTY = ("d41d8cd98f00b204e9800998ecf8427e", "git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")  # files without contents
_COLUMNS = (
    "columns = {'path': 'VARCHAR', 'hash': 'VARCHAR'}, header = false, auto_detect = false, delim = '\t', "
    "quote = '', escape = '', new_line = '\\n'"
)


def manifest(inputs: Mapping[str, Path], folder: Path, report: Report) -> dict[str, Any]:
    """Keep a DVC manifest (.dir) as Parquet: path in order, md5 as hex. Paths that no file can have are passed over.

    Raises ValueError when it is no manifest.
    """
    con = connect(folder)
    source = (
        f"read_json({literal(str(inputs['manifest']))}, format = 'array', "
        f"columns = {{'md5': 'VARCHAR', 'relpath': 'VARCHAR'}}, maximum_object_size = 1048576)"
    )
    con.run(f"CREATE TEMP TABLE listed AS SELECT relpath AS path, md5, row_number() OVER () AS n FROM {source}")
    if con.number("SELECT count(*) FROM listed WHERE path IS NULL OR md5 IS NULL"):
        raise ValueError("An entry lacks md5 or relpath.")
    con.run(
        f"DELETE FROM listed WHERE length(path) > {MAX_PATH_CHARACTERS} OR path = '' "
        "OR regexp_matches(path, '[\\x00-\\x1f\\\\\\\\]') "
        "OR regexp_matches(path, '(^|/)(\\.|\\.\\.|\\.git|\\.dvc|)(/|$)', 'i') "
        "OR NOT regexp_full_match(md5, '[0-9a-f]{32}')"
    )
    con.run(
        "COPY (SELECT path, arg_max(md5, n) AS md5 FROM listed GROUP BY path ORDER BY path) "
        f"TO {literal(str(folder / MANIFEST))} (FORMAT parquet, COMPRESSION zstd)"
    )
    return {"files": con.number(f"SELECT count(*) FROM {literal(str(folder / MANIFEST))}")}


def compare(
    inputs: Mapping[str, Path],
    folder: Path,
    report: Report,
    *,
    base: list[list[str]],
    head: list[list[str]],
    below: str = "",
) -> dict[str, Any]:
    """{"summary": counts, "folders": moved folders}. base, head: [input's name, prefix ("" for none)] of each part.

    below: only files in this folder.
    """
    con = connect(folder)
    both = tuple(_listed(inputs, side, below) for side in (base, head))
    total = sum(con.number(f"SELECT count(*) FROM ({source})") for source in both)
    with con.reporting(report, 0, total, total):
        con.run(
            "CREATE TEMP TABLE changes AS SELECT coalesce(h.path, b.path) AS path, b.hash AS old_hash, h.hash AS hash, "
            "CASE WHEN b.path IS NULL THEN 'added' WHEN h.path IS NULL THEN 'removed' ELSE 'modified' END AS status "
            f"FROM ({both[0]}) b FULL JOIN ({both[1]}) h ON b.path = h.path WHERE b.hash IS DISTINCT FROM h.hash"
        )
        _pair_renames(con)
        folders = _moved_folders(con)
        con.run(
            "COPY (SELECT status, path, old_path, old_hash, hash, moved_from, moved_to FROM ("
            "SELECT status, path, NULL AS old_path, old_hash, hash, NULL AS moved_from, NULL AS moved_to FROM changes "
            "WHERE path NOT IN (SELECT old_path FROM renames) AND path NOT IN (SELECT path FROM renames) "
            "UNION ALL SELECT 'renamed', r.path, r.old_path, r.hash, r.hash, f.moved_from, f.moved_to FROM renames r "
            "LEFT JOIN folds f ON f.old = r.old_folder AND f.new = r.folder AND r.old_name = r.name) ORDER BY path) "
            f"TO {literal(str(folder / FILES))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
        )
    _write_hashes(con, folder)
    found = {str(s): int(str(n)) for s, n in con.rows(f"SELECT status, count(*) FROM {_made(folder)} GROUP BY status")}
    summary = {f"files_{status}": found.get(status, 0) for status in ("added", "removed", "modified", "renamed")}
    return {"summary": summary, "entries": total, "folders": folders}


def _made(folder: Path) -> str:
    return f"read_parquet({literal(str(folder / FILES))})"


def _listed(inputs: Mapping[str, Path], parts: list[list[str]], below: str) -> str:
    """SQL of one side: path, hash."""
    selects = ["SELECT '' AS path, '' AS hash WHERE false"]
    for source, prefix in parts:
        file = literal(str(inputs[source]))
        if source.startswith("manifest"):
            path = f"{literal(prefix + '/')} || path" if prefix else "path"
            selects.append(f"SELECT {path} AS path, md5 AS hash FROM read_parquet({file})")
        else:
            selects.append(f"SELECT path, hash FROM read_csv({file}, {_COLUMNS})")
    everything = " UNION ALL ".join(selects)
    if not below:
        return everything
    inside = f"path = {literal(below)} OR starts_with(path, {literal(below + '/')})"
    return f"SELECT path, hash FROM ({everything}) WHERE {inside}"


def _pair_renames(con: Connection) -> None:
    """Table renames: a removed and an added file of the same contents, one to one; the same file name goes first."""
    con.run(
        "CREATE TEMP TABLE sides AS SELECT path, coalesce(hash, old_hash) AS hash, status, "
        "regexp_extract(path, '[^/]*$') AS name, regexp_extract(path, '^(.*)/', 1) AS folder "
        f"FROM changes WHERE status <> 'modified' AND coalesce(hash, old_hash) NOT IN {EMPTY!r} "
        "AND coalesce(hash, old_hash) IN (SELECT hash FROM changes WHERE status = 'added' "
        "INTERSECT SELECT old_hash FROM changes WHERE status = 'removed')"
    )
    con.run(f"CREATE TEMP TABLE renames AS {_paired('hash, name')}")
    con.run("DELETE FROM sides WHERE path IN (SELECT path FROM renames) OR path IN (SELECT old_path FROM renames)")
    con.run(f"INSERT INTO renames {_paired('hash')}")


def _paired(by: str) -> str:
    nth = f"row_number() OVER (PARTITION BY {by} ORDER BY path) AS nth"
    return (
        "SELECT a.path, r.path AS old_path, a.hash, a.name, r.name AS old_name, a.folder, r.folder AS old_folder FROM "
        f"(SELECT *, {nth} FROM sides WHERE status = 'added') a JOIN "
        f"(SELECT *, {nth} FROM sides WHERE status = 'removed') r USING ({by}, nth)"
    )


def _moved_folders(con: Connection) -> list[dict[str, Any]]:
    """Renames that kept their file name, folded: a/x/1 → b/x/1 and a/y/2 → b/y/2 are one folder a that became b.

    Table folds: which (old folder, new folder) belongs to which. Folders with one file are not folded.
    """
    pairs = con.rows(
        "SELECT old_folder, folder, count(*) FROM renames WHERE name = old_name AND old_folder <> folder GROUP BY ALL"
    )
    folds = {(str(old), str(new)): _without_common_end(str(old), str(new)) for old, new, _ in pairs}
    files: Counter[tuple[str, str]] = Counter()
    for old, new, count in pairs:
        files[folds[str(old), str(new)]] += int(str(count))
    con.run("CREATE TEMP TABLE folds (old VARCHAR, new VARCHAR, moved_from VARCHAR, moved_to VARCHAR)")
    shown = {pair for pair, count in files.most_common(MAX_FOLDERS) if count > 1}
    rows = [[*place, *fold] for place, fold in folds.items() if fold in shown]
    for start in range(0, len(rows), 500):
        batch = rows[start : start + 500]
        values = ", ".join(["(?, ?, ?, ?)"] * len(batch))
        con.run(f"INSERT INTO folds VALUES {values}", [value for row in batch for value in row])
    found = sorted(shown, key=lambda pair: (-files[pair], pair))
    return [{"from": old, "to": new, "files": files[old, new]} for old, new in found]


def _without_common_end(old: str, new: str) -> tuple[str, str]:
    one, other = old.split("/") if old else [], new.split("/") if new else []
    while one and other and one[-1] == other[-1]:
        one.pop()
        other.pop()
    return "/".join(one), "/".join(other)


def _write_hashes(con: Connection, folder: Path) -> None:
    """hash, times gained, times lost: what the hub needs to sum up sizes."""
    con.run(
        f"COPY (SELECT hash, sum(gained)::BIGINT, sum(lost)::BIGINT FROM ("
        f"SELECT hash, 1 AS gained, 0 AS lost FROM {_made(folder)} WHERE hash IS NOT NULL AND status <> 'renamed' "
        f"UNION ALL SELECT old_hash, 0, 1 FROM {_made(folder)} WHERE old_hash IS NOT NULL AND status <> 'renamed') "
        f"GROUP BY hash LIMIT {MAX_HASHES + 1}) TO {literal(str(folder / HASHES))} "
        "(FORMAT csv, DELIMITER '\t', HEADER false)"
    )
