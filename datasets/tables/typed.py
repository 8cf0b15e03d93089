"""Values that people type into cells: checked, and read as what their column holds."""

from __future__ import annotations

import json
import re
from typing import Any

from datasets.tables.columns import Column
from datasets.tables.engine import Connection, connect

TEXT, JSON = "text", "JSON"
_PLAIN = re.compile(r"[a-z][a-z_ 0-9]*(\(\d+, ?\d+\))?")
_LIKE = {"integer": "bigint", "decimal": "double", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}
_WORDS = {"bigint": "a whole number", "double": "a number", "boolean": "true or false"}


def type_of(column: Column) -> str:
    """What may be typed into its cells; "" when nobody can. Of text files it is what all values look like."""
    if column.text:
        return _LIKE.get(column.type, TEXT)
    if column.kind == "text":
        return TEXT
    return column.type if column.kind != "other" and _PLAIN.fullmatch(column.type) else ""


def value(con: Connection, text: str, type_: str) -> Any:
    """As a column of this type holds it; no text is an empty cell in all but columns of text. Raises ValueError."""
    if type_ == TEXT:
        return text
    if type_ == JSON:
        return json_of(text)
    if not text.strip():
        return None
    if not _PLAIN.fullmatch(type_):
        raise ValueError("A value of this column cannot be typed.")
    ((found,),) = con.rows(f"SELECT TRY_CAST(? AS {type_})", [text.strip()])
    if found is None:
        raise ValueError(f"'{text[:80]}' is not {_WORDS.get(type_, f'a value of the type {type_}')}.")
    return found


def json_of(text: str) -> Any:
    """Raises ValueError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"'{text[:80]}' is no JSON: put texts in quotes.") from error


def wrong(payload: bytes, *, typed: list[list[str]]) -> list[str]:
    """For each [type, text] what is wrong with it, "" when nothing is. Runs in the sandbox's short calls."""
    con = connect(memory="100MB", threads=1)
    found = []
    for type_, text in typed:
        try:
            value(con, text, type_)
            found.append("")
        except ValueError as error:
            found.append(str(error))
    return found
