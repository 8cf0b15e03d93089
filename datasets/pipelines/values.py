"""What files of metrics, params and plots say: documents flattened with dots, tables as points over steps.

Read as DVC reads them (JSON, YAML 1.2, TOML, Python's plain assignments), tables as CSV or TSV. Runs in the sandbox.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import posixpath
from collections.abc import Iterator
from itertools import islice
from typing import Any

from dvc.utils.serialize import load_path

from datasets.pipelines.entries import plain
from datasets.pipelines.resolving import ODD, Files, TooSlow, limited, sentence

MAX_KEYS = 5_000  # of one file
MAX_KEY_CHARACTERS = 250
MAX_TEXT_CHARACTERS = 6_000
MAX_DEPTH = 32
MAX_ROWS = 100_000  # of one table
MAX_POINTS = 100_000  # of one file
SECONDS_PER_FILE = 4.0  # of processor time
TABLES = (".csv", ".tsv")
STEPS = ("step", "steps", "epoch", "epochs", "iteration", "iterations", "iter", "batch", "index")
MOST_STEP = 2**53
_DAGSHUB = ("name", "value", "timestamp", "step")
Point = list[Any]  # [step, value, milliseconds since 1970 or None]


def read(payload: bytes) -> list[dict[str, Any]]:
    """One answer per file of a JSON list of {"path", "kind", "data" (base64)}; kind: metrics, params or plot.

    metrics: {"values": key → number, "points": key → [[step, value, time], …]}; params: {"values": key → text}; plot:
    {"points"}. {"problem": sentence} for what cannot be read. A stranger's file spoils its own answer only.
    """
    return [_read(item["path"], item["kind"], base64.b64decode(item["data"])) for item in json.loads(payload)]


def _read(path: str, kind: str, data: bytes) -> dict[str, Any]:
    try:
        with limited(SECONDS_PER_FILE):
            if posixpath.splitext(path)[1].lower() in TABLES:
                return _table(path, data)
            document = load_path(path, Files({posixpath.normpath(path): data}))
            if kind == "params":
                return {"values": dict(islice(_texts(document), MAX_KEYS))}
            if kind == "metrics":
                return {"values": dict(islice(_numbers(document), MAX_KEYS)), "points": {}}
            return {"points": _points(_records(document), "")}
    except TooSlow:
        return {"problem": "it takes too long to be read"}
    except ODD as error:
        return {"problem": str(plain(sentence(error, path)))[:300]}


# ---- documents ---------------------------------------------------------------------------------
def _leaves(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, f"{key}.{name}" if key else str(name), depth + 1)
    elif key and len(key) <= MAX_KEY_CHARACTERS:
        yield _plain_key(key), value


def _numbers(document: Any) -> Iterator[tuple[str, float]]:
    """Metrics that are no numbers are left out, as no curve or order could hold them."""
    if isinstance(document, (int, float)):
        document = {"value": document}
    for key, value in _leaves(document):
        if isinstance(value, (bool, int, float)):
            yield key, _float(value)


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    for key, value in _leaves(document):
        yield key, text_of(value)


def text_of(value: Any) -> str:
    """A parameter as MLflow's clients would write it: Python's words for True and None, JSON for lists."""
    value = plain(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)
    return text if len(text) <= MAX_TEXT_CHARACTERS else text[: MAX_TEXT_CHARACTERS - 1] + "…"


def _float(value: Any) -> float:
    """Numbers beyond a double are infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _plain_key(key: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in key)


# ---- tables ------------------------------------------------------------------------------------
def _table(path: str, data: bytes) -> dict[str, Any]:
    """A table's points, and the last value of each column."""
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    delimiter = "\t" if path.lower().endswith(".tsv") else ","
    try:
        rows = csv.DictReader(text, delimiter=delimiter)
        names = [name.strip() for name in rows.fieldnames or []]
        if len(names) > MAX_KEYS:
            raise ValueError(f"more than {MAX_KEYS:,} columns")
        rows.fieldnames = names
        found = list(islice(rows, MAX_ROWS + 1))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if len(found) > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS:,} rows")
    if {name.lower() for name in names} >= {"name", "value"}:
        points = _long(found)
    else:
        points = _points(found, _of_dvclive(path))
    if points or not found:
        return {"values": {key: sorted(each, key=_step)[-1][1] for key, each in points.items()}, "points": points}
    return {"values": dict(islice(_last_row(found[-1]), MAX_KEYS)), "points": {}}


def _step(point: Point) -> int:
    return int(point[0])


def _last_row(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for key, text in row.items():
        if key and len(key) <= MAX_KEY_CHARACTERS and (value := _number(text)) is not None:
            yield _plain_key(key), value


def _long(rows: list[dict[str, Any]]) -> dict[str, list[Point]]:
    """DagsHub's shape: a row per value, with the columns Name, Value, Timestamp (milliseconds) and Step."""
    points: dict[str, list[Point]] = {}
    for row in rows:
        named = {str(name).lower(): text for name, text in row.items()}
        key, value = named.get("name"), _number(named.get("value"))
        if isinstance(key, str) and key and len(key) <= MAX_KEY_CHARACTERS and value is not None:
            point = [_whole(named.get("step")) or 0, value, _whole(named.get("timestamp"))]
            points.setdefault(_plain_key(key), []).append(point)
            if len(points) > MAX_KEYS:
                raise ValueError(f"more than {MAX_KEYS:,} names")
    return points


def _records(document: Any) -> list[dict[str, Any]]:
    """The rows of a plot in JSON or YAML: the first list of mappings in it, as DVC looks for them."""
    if isinstance(document, list):
        return [row for row in document[:MAX_ROWS] if isinstance(row, dict)]
    if isinstance(document, dict):
        return next((found for part in document.values() if (found := _records(part))), [])
    return []


def _points(rows: list[dict[str, Any]], only: str) -> dict[str, list[Point]]:
    """Numeric columns over a column of steps; nothing without one. only: the one key the table is about."""
    first = rows[0] if rows else {}
    step = next((name for name in first if str(name).lower() in STEPS), None)
    points: dict[str, list[Point]] = {}
    if step is None:
        return points
    stamp = next((name for name in first if str(name).lower() == "timestamp"), None)
    columns = [name for name in first if name and name not in {step, stamp}]
    if len(rows) * max(1, len(columns)) > MAX_POINTS:
        raise ValueError(f"more than {MAX_POINTS:,} points")
    for name in columns:
        key = _plain_key(only if only and len(columns) == 1 else str(name))
        for row in rows:
            at, value = _whole(row.get(step)), _number(row.get(name))
            if at is not None and value is not None and len(key) <= MAX_KEY_CHARACTERS:
                points.setdefault(key, []).append([at, value, _whole(row.get(stamp)) if stamp else None])
    return points


def _of_dvclive(path: str) -> str:
    """The metric that a table of dvclive is about: …/plots/metrics/train/loss.tsv is train.loss."""
    _, found, rest = f"/{path}".rpartition("/plots/metrics/")
    return posixpath.splitext(rest)[0].replace("/", ".") if found else ""


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return _float(value) if isinstance(value, (bool, int, float)) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    if number is None or not math.isfinite(number) or abs(number) > MOST_STEP:
        return None
    return int(number)
