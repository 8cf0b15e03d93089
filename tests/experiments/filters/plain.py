"""What a filter means, in plain Python: the judge of the SQL. A run is a dict, values as they were logged."""

from __future__ import annotations

import math
import operator
import re
from typing import Any

from experiments.filters.syntax import Absent, All, Among, Comparison, Name, Node, Not
from experiments.filters.syntax import Any as Either
from experiments.numbers import number

ORDERS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def passes(run: dict[str, Any], node: Node) -> bool:
    match node:
        case All(items):
            return all(passes(run, item) for item in items)
        case Either(items):
            return any(passes(run, item) for item in items)
        case Not(item):
            return not passes(run, item)
        case Absent(name):
            return found(run, name) is None
        case Among(name, values, negated):
            tests = [compared(name, found(run, name), "!=" if negated else "=", value) for value in values]
            return all(tests) if negated else any(tests)
        case Comparison(name, sign, value):
            return compared(name, found(run, name), sign, value)


def found(run: dict[str, Any], name: Name) -> Any:
    if name.kind == "attributes" and name.key == "duration":
        return None if run["start"] is None or run["end"] is None else (run["end"] - run["start"]) / 1000
    return run[name.key] if name.kind == "attributes" else run[name.kind].get(name.key)


def compared(name: Name, have: Any, sign: str, value: str | float) -> bool:
    if have is None:
        return False
    if isinstance(value, float):
        have = number(have) if isinstance(have, str) else have
        if have is None:
            return False
        if math.isnan(value) and name.kind == "metrics":
            return math.isnan(have) if sign == "=" else not math.isnan(have)
        if math.isnan(have):
            return sign == "!="
        return ORDERS[sign](have, value)
    if "like" in sign:
        flags = re.DOTALL | (re.IGNORECASE if sign.endswith("ilike") else 0)
        pattern = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in value)
        return (re.fullmatch(pattern, have, flags) is not None) is not sign.startswith("not")
    if sign in {"~", "!~"}:
        return (re.search(value, have, re.DOTALL) is not None) is not sign.startswith("!")
    return ORDERS[sign](have, value)
