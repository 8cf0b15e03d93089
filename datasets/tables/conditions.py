"""Filters of rows as SQL: a cell is named by us and every value is a parameter; one that is no value of the column's
type is equal to none."""

from __future__ import annotations

from typing import Any

_COMPARE = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_TYPES = {"integer": "HUGEINT", "number": "DOUBLE", "time": "TIMESTAMP"}


def condition(cell: str, wanted: dict[str, Any]) -> tuple[str, list[object]]:
    op, value, kind = wanted["op"], wanted["value"], wanted["kind"]
    if op in {"null", "notnull"}:
        return f"{cell} IS {'NOT ' if op == 'notnull' else ''}NULL", []
    if op in {"contains", "starts"}:
        function = "contains" if op == "contains" else "starts_with"
        return f"{function}(lower(CAST({cell} AS VARCHAR)), lower(?))", [value]
    if kind == "boolean":
        return f"lower(CAST({cell} AS VARCHAR)) {_COMPARE[op]} ?", [value]
    if kind not in _TYPES:
        return f"CAST({cell} AS VARCHAR) {_COMPARE[op]} ?", [value]
    value_of = typed(cell, wanted)
    type_ = "DOUBLE" if kind == "integer" and not value.lstrip("-").isdigit() else _TYPES[kind]
    numbers = f"NOT isnan(CAST({value_of} AS DOUBLE)) AND " if kind == "number" else ""
    return f"{numbers}{value_of} {_COMPARE[op]} TRY_CAST(? AS {type_})", [value]


def typed(cell: str, column: dict[str, Any]) -> str:
    """What is compared: of a text file the value that the characters stand for. Times are compared as they are written
    in UTC."""
    kind = column["kind"]
    if kind == "time" or (column["text"] and kind in _TYPES):
        return f"TRY_CAST({cell} AS {_TYPES[kind]})"
    return cell
