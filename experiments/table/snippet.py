"""The table as Python: lines that give the same runs and numbers through MLflow's own client.

MLflow's filter strings say less than ours (no "or", no numbers in params): what they can say goes to the server, so
that less is sent, and everything is said again in pandas.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any as Anything

from experiments import numbers
from experiments.filters.names import TAGGED
from experiments.filters.syntax import Absent, All, Among, Any, Comparison, Name, Node, Not
from experiments.listing import Query
from experiments.runs import COMMIT_TAG
from experiments.table import aggregates, hiding
from experiments.table.columns import Column, parse
from experiments.tracked import marks

MOST_RUNS = 50_000  # what a server of MLflow sends to one search
_SERVERS = {"=", "<", "<=", ">", ">="}
_PLAIN = re.compile(r"[^'\"`\\\n\r]*")
_FRAMES = {
    "status": "status", "user": "tags.mlflow.user", "started": "start_time", "ended": "end_time",
    "commit": f"tags.{COMMIT_TAG}", "id": "run_id", "name": "tags.mlflow.runName", "source": f"tags.{marks.SOURCE_TAG}",
    "data": f"tags.{marks.DATA_TAG}",
}  # fmt: skip
_HELPERS = f"""
def column(name):
    return runs[name] if name in runs else pd.Series(None, index=runs.index, dtype=object)

def number(name):
    texts = column(name).astype(str)
    return pd.to_numeric(texts.where(texts.str.fullmatch(r"{numbers.PATTERN}")), errors="coerce")

def matches(values, pattern, flags=re.DOTALL):
    return values.map(lambda text: isinstance(text, str) and re.search(pattern, text, flags) is not None).astype(bool)
"""


class Unsaid(Exception):
    """What the client's table does not hold."""


def python(query: Query, tracking_uri: str, columns: Sequence[Column], shown: Sequence[str]) -> str:
    """shown: ids of the runs on the page, for a filter that the client cannot say."""
    asked = f'experiment_ids=["{query.experiment_id}"]' if query.experiment_id else "search_all_experiments=True"
    more = [f"max_results={MOST_RUNS}"]
    if text := _of_server(query.filter):
        more.insert(0, f"filter_string={text!r}")
    if query.show == hiding.DELETED:
        more.append("run_view_type=mlflow.entities.ViewType.DELETED_ONLY")
    lines = ["import re", "import mlflow", "import pandas as pd", "", f"mlflow.set_tracking_uri({tracking_uri!r})"]
    lines += [f"runs = mlflow.search_runs({asked}, {', '.join(more)})", *_HELPERS.rstrip().splitlines(), ""]
    lines += [f"runs = runs[{kept}]" for kept in _kept(query, shown)]
    sort, wanted = parse(query.sort), [column for column in columns if column.aggregate]
    lines += _paged(shown) if wanted or (sort and sort.aggregate) else _sorted(query)
    lines += _aggregated(query, wanted)
    names = list(dict.fromkeys(["run_id", "tags.mlflow.runName", *(_frame(column) for column in columns)]))
    return "\n".join([*lines, f"print(runs.reindex(columns={names!r}).to_string())"])


def _kept(query: Query, shown: Sequence[str]) -> list[str]:
    found = []
    archived = f"column({f'tags.{marks.ARCHIVED_TAG}'!r})"
    if query.show == hiding.ARCHIVED:
        found.append(f"{archived}.notna()")
    elif hiding.condition(query.show, query.filter):
        found.append(f"{archived}.isna()")
    if query.filter is not None:
        try:
            found.append(_mask(query.filter))
        except Unsaid:
            found.append(f"runs.run_id.isin({list(shown)!r})")
    return found


def _mask(node: Node) -> str:
    match node:
        case All(items):
            return " & ".join(f"({_mask(item)})" for item in items)
        case Any(items):
            return " | ".join(f"({_mask(item)})" for item in items)
        case Not(item):
            return f"~({_mask(item)})"
        case Absent(name):
            return f"{_values(name)}.isna()"
        case Among(name, values, negated):
            tests = [_compared(name, "!=" if negated else "=", value) for value in values]
            return (" & " if negated else " | ").join(f"({test})" for test in tests)
        case Comparison(name, operator, value):
            return _compared(name, operator, value)


def _compared(name: Name, operator: str, value: Anything) -> str:
    values = _values(name)
    sign = "==" if operator == "=" else operator
    if name.kind == "attributes" and name.key in {"start", "end"}:
        return f'{values} {sign} pd.Timestamp({value!r}, unit="ms", tz="UTC")'
    if isinstance(value, float):
        if name.kind in {"params", "tags"}:
            values = f"number({f'{name.kind}.{name.key}'!r})"
        present = f"{values}.notna() & " if sign == "!=" else ""
        return f"{present}({values} {sign} {_number(value)})"
    if operator in {"=", "!="}:
        return f"{values}.notna() & ({values} {sign} {value!r})"
    negated, kind = operator.startswith(("not ", "!")), operator.removeprefix("not ").lstrip("!")
    found = f"matches({values}, {(value if kind == '~' else _like(value))!r}"
    found += ", re.DOTALL | re.IGNORECASE)" if kind == "ilike" else ")"
    return f"{values}.notna() & ~{found}" if negated else found


def _values(name: Name) -> str:
    if name.kind == "datasets":
        raise Unsaid
    if name.kind == "attributes":
        special = {
            "duration": "(runs.end_time - runs.start_time).dt.total_seconds()",
            "experiment": "runs.experiment_id.map({e.experiment_id: e.name for e in mlflow.search_experiments()})",
            "experiment_id": "runs.experiment_id.astype(int)",
            "start": "runs.start_time", "end": "runs.end_time", "artifact_uri": "runs.artifact_uri",
            "source": f"column({_FRAMES['source']!r}).fillna({marks.LOGGED!r})",
        }  # fmt: skip
        return special.get(name.key) or f"column({_FRAMES[name.key]!r})"
    return f"column({f'{name.kind}.{name.key}'!r})"


def _like(pattern: str) -> str:
    return "^" + "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern) + r"\Z"


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def _of_server(node: Node | None) -> str:
    """What of a filter MLflow's language can say too: at least the runs that pass, maybe more."""
    items = node.items if isinstance(node, All) else [node] if node is not None else []
    return " and ".join(filter(None, map(_said, items)))


def _said(node: Node) -> str:
    if not isinstance(node, Comparison) or node.operator not in _SERVERS or not _PLAIN.fullmatch(node.name.key):
        return ""
    name, value = node.name, node.value
    if name.kind == "metrics" and isinstance(value, float) and math.isfinite(value):
        return f"metrics.`{name.key}` {node.operator} {value!r}"
    if name.kind in {"params", "tags"} and node.operator == "=" and isinstance(value, str) and _PLAIN.fullmatch(value):
        return f"{name.kind}.`{name.key}` = '{value}'"
    if name.kind == "attributes" and name.key == "status" and node.operator == "=":
        return f"attributes.status = '{value}'"
    return ""


def _paged(shown: Sequence[str]) -> list[str]:
    """Only the page, as it is ordered: what is computed of a history is a question for each run."""
    order = 'sort_values("run_id", key=lambda ids: ids.map(page.index))'
    return [f"page = {list(shown)!r}", f"runs = runs[runs.run_id.isin(page)].{order}"]


def _sorted(query: Query) -> list[str]:
    """Texts that are numbers stand before others, as in the table; whatever has none comes last."""
    column = parse(query.sort)
    name = _FRAMES.get(query.sort) or (f"tags.{TAGGED[query.sort]}" if query.sort in TAGGED else "")
    if column and column.kind != "attributes":
        name = f"{column.kind}.{column.key}"
    if not name:
        return []
    values, order = f"column({name!r})", f'ascending={not query.descending}, na_position="last", kind="stable"'
    if query.sort == "name":
        values += ".str.lower()"
    elif query.sort in TAGGED or (column and column.kind in {"params", "tags"}):
        both = f"pd.DataFrame({{0: number({name!r}), 1: {values}}})"
        return [f"runs = runs.loc[{both}.sort_values([0, 1], {order}).index]"]
    return [f"runs = runs.loc[{values}.sort_values({order}).index]"]


def _aggregated(query: Query, wanted: Sequence[Column]) -> list[str]:
    if not wanted:
        return []
    lines = ["", "client = mlflow.MlflowClient()"]
    lines += ["def history(run_id, key):", "    points = client.get_metric_history(run_id, key)"]
    lines += ["    return [(p.value, p.step) for p in points if p.value == p.value]"]
    for column in wanted:
        least = aggregates.takes_least(column, query.directions)
        place = int(column.aggregate == "best_step")
        first = f"min(points, key=lambda p: ({'' if least else '-'}p[0], p[1]), default=(None, None))[{place}]"
        points = f"(history(one, {column.key!r}) for one in runs.run_id)"
        lines.append(f"runs[{column.name!r}] = [{first} for points in {points}]")
    return lines


def _frame(column: Column) -> str:
    """What the client's table calls it."""
    if column.kind == "attributes":
        return _FRAMES.get(column.key, column.key)
    return column.name if column.aggregate else f"{column.kind}.{column.key}"
