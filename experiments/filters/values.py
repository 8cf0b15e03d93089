"""The right side of a comparison: numbers, texts, times and durations, as the left side wants them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from difflib import get_close_matches

from experiments.filters import patterns
from experiments.filters.errors import FilterError
from experiments.filters.names import ATTRIBUTES, STATUSES
from experiments.filters.syntax import Name, Value
from experiments.filters.tokens import Token

ORDERED = {"<", "<=", ">", ">="}
TEXTUAL = {"like", "not like", "ilike", "not ilike", "~", "!~"}
MOST_MILLISECONDS = 2.0**62  # what a column of whole numbers surely holds
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?inf(inity)?|nan", re.IGNORECASE)
_AMOUNT = re.compile(r"([-+]?)([0-9]+\.?[0-9]*|\.[0-9]+)(ms|s|m|min|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_WANTED = {
    "text": "a text, e.g. \"resnet\"", "status": "running, scheduled, finished, failed or killed",
    "time": "a time: -7d, 2026-11-01, 2026-11-01T09:30 or milliseconds", "seconds": "a duration: 90s, 15m, 2h or 1d",
    "number": "a number",
}  # fmt: skip


def type_of(name: Name) -> str:
    """What is compared: number, any (a text that may be a number), text, status, time or seconds."""
    if name.kind == "attributes":
        return ATTRIBUTES[name.key]
    return {"metrics": "number", "params": "any", "tags": "any", "datasets": "text"}[name.kind]


def check_operator(name: Name, operator: str, position: int) -> None:
    if operator in TEXTUAL and type_of(name) in {"number", "time", "seconds"}:
        said = name.key if name.kind == "attributes" else f"{name.kind}.{name.key}"
        raise FilterError(f"{said[:80]} is no text, “{operator}” compares texts.", position, expected="=, <, > or in")


def value(name: Name, operator: str, token: Token, now: float) -> Value:
    """now: seconds since 1970, what -7d counts from. Raises FilterError."""
    kind = type_of(name)
    if token.kind not in {"word", "text"} or token.says("and", "or", "not", "is", "in"):
        raise FilterError(_instead(token), token.position, expected=_WANTED.get(kind, "a number or a text"))
    if operator in TEXTUAL:
        if operator in {"~", "!~"}:
            patterns.check(token.text, token.position + (token.kind == "text"))
        return token.text
    found = _READERS[kind](token, now)
    if operator in ORDERED and isinstance(found, float) and math.isnan(found):
        raise FilterError("NaN is neither more nor less than anything.", token.position, expected="= nan or != nan")
    return found


def _instead(token: Token) -> str:
    return "it ends where a value should follow." if token.kind == "end" else f"“{token.text[:60]}” is no value."


def _number(token: Token, _: float) -> float:
    if token.kind != "word" or not _NUMBER.fullmatch(token.text):
        raise FilterError(f"“{token.text[:60]}” is no number.", token.position, expected="a number, inf or nan")
    return float(token.text)


def _any(token: Token, _: float) -> Value:
    is_number = token.kind == "word" and _NUMBER.fullmatch(token.text) and token.text[-1:].isdigit()
    return float(token.text) if is_number else token.text


def _text(token: Token, _: float) -> str:
    return token.text


def _status(token: Token, _: float) -> str:
    found = STATUSES.get(token.text.lower())
    if found is None:
        near = get_close_matches(token.text.lower()[:60], STATUSES, n=1)
        problem = f"no run has the status “{token.text[:60]}”."
        raise FilterError(problem, token.position, expected=_WANTED["status"], suggestion="".join(near))
    return found


def _time(token: Token, now: float) -> float:
    """Milliseconds since 1970."""
    amount, text = _AMOUNT.fullmatch(token.text), token.text
    if amount:
        sign, size, unit = amount.groups()
        return _bounded((now + (-1 if sign == "-" else 1) * float(size) * _SECONDS[unit]) * 1000)
    if _NUMBER.fullmatch(text) and text[-1:].isdigit() and len(text) != 4:
        return _bounded(float(text))
    try:
        moment = datetime.fromisoformat(f"{text}-01-01" if len(text) == 4 else text)
        return _bounded((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise FilterError(f"“{text[:60]}” is no time.", token.position, expected=_WANTED["time"]) from error


def _seconds(token: Token, _: float) -> float:
    amount = _AMOUNT.fullmatch(token.text)
    if amount:
        sign, size, unit = amount.groups()
        return (-1 if sign == "-" else 1) * float(size) * _SECONDS[unit]
    if _NUMBER.fullmatch(token.text) and token.text[-1:].isdigit():
        return float(token.text)
    raise FilterError(f"“{token.text[:60]}” is no duration.", token.position, expected=_WANTED["seconds"])


def _bounded(milliseconds: float) -> float:
    return max(-MOST_MILLISECONDS, min(MOST_MILLISECONDS, milliseconds))


_READERS = {
    "number": _number, "any": _any, "text": _text, "status": _status, "time": _time, "seconds": _seconds,
}  # fmt: skip
