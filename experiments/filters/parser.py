"""A filter as a tree: disjunctions of conjunctions of comparisons, by recursive descent."""

from __future__ import annotations

import time
from difflib import get_close_matches

from experiments.filters import names, values
from experiments.filters.errors import FilterError
from experiments.filters.syntax import Absent, All, Among, Any, Comparison, Name, Node, Not, Value
from experiments.filters.tokens import Token, tokens

MAX_DEPTH, MAX_COMPARISONS, MAX_VALUES = 40, 100, 500
_SAME = {"==": "=", "<>": "!=", "=~": "~"}
_COMPARING = {"=", "!=", "<", "<=", ">", ">=", "~", "!~"}
_OPERATORS = "=, !=, <, <=, >, >=, like, ~, in (…) or is null"


def parse(text: str, *, now: float | None = None) -> Node | None:
    """The tree of a filter, None of an empty one. now: seconds since 1970, what -7d counts from. Raises FilterError."""
    found = tokens(text)
    if found[0].kind == "end":
        return None
    if _are_words(found):
        like = f"%{text.strip()}%"
        return Any((_holds("name", like), _holds("user", like)))
    return _Parser(found, time.time() if now is None else now).whole()


def joinable(text: str) -> str:
    """The same filter so that "and" can follow it; an empty one stays empty. Raises FilterError."""
    found = tokens(text)
    if found[0].kind == "end" or not _are_words(found):
        return text.strip()
    like = f"%{text.strip()}%"
    return f'name ilike "{like}" or user ilike "{like}"'


def _are_words(found: list[Token]) -> bool:
    return all(_is_plain(token) for token in found[:-1])


def _is_plain(token: Token) -> bool:
    """Whether a token cannot be of a comparison: words alone are looked for in names and users."""
    if token.kind != "word" or token.says("and", "or", "not", "in", "is", "like", "ilike", "&&", "||"):
        return False
    return names.prefix_of(token.text)[0] is None


def _holds(attribute: str, pattern: str) -> Comparison:
    return Comparison(Name("attributes", attribute), "ilike", pattern)


class _Parser:
    def __init__(self, found: list[Token], now: float) -> None:
        self.tokens, self.at, self.now, self.comparisons = found, 0, now, 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def took(self, *words: str) -> bool:
        """Step over one of these keywords or marks, if it is next."""
        if not self.token.says(*words):
            return False
        self.at += 1
        return True

    def next(self) -> Token:
        """Step over any token but the end."""
        token = self.token
        self.at += token.kind != "end"
        return token

    def whole(self) -> Node:
        tree = self.either(0)
        if self.token.kind != "end":
            raise self._not_joined()
        return tree

    def either(self, depth: int) -> Node:
        items = [self.both(depth)]
        while self.took("or"):
            items.append(self.both(depth))
        return items[0] if len(items) == 1 else Any(tuple(items))

    def both(self, depth: int) -> Node:
        items = [self.one(depth)]
        while self.took("and"):
            items.append(self.one(depth))
        return items[0] if len(items) == 1 else All(tuple(items))

    def one(self, depth: int) -> Node:
        start = self.token
        if depth > MAX_DEPTH:
            raise FilterError("it is nested too deep.", start.position)
        if self.took("not"):
            return Not(self.one(depth + 1))
        if not self.took("("):
            return self.comparison()
        inner = self.either(depth + 1)
        if not self.took(")"):
            if self.token.kind != "end":
                raise self._not_joined()
            raise FilterError("the parenthesis is never closed.", start.position, expected=")")
        return inner

    def comparison(self) -> Node:
        if self.comparisons == MAX_COMPARISONS:
            raise FilterError(f"at most {MAX_COMPARISONS} comparisons.", self.token.position)
        self.comparisons += 1
        name = self.name()
        if self.took("is"):
            return self.null(name)
        place, operator = self.token.position, self.operator()
        values.check_operator(name, operator, place)
        if operator in {"in", "not in"}:
            return Among(name, self.listed(name), negated=operator == "not in")
        return Comparison(name, operator, values.value(name, operator, self.next(), self.now))

    def name(self) -> Name:
        token = self.next()
        if token.kind == "name":
            kind, key = names.prefix_of(token.text)
            return names.resolved(kind, key, token.position)
        if token.kind != "word" or token.says("and", "or", "in", "is", "like", "ilike"):
            said = "it ends where" if token.kind == "end" else f"“{token.text[:60]}” stands where"
            problem = f"{said} a name should be."
            raise FilterError(problem, token.position, expected="e.g. metrics.loss < 0.1 or status = finished")
        kind, key = names.prefix_of(token.text)
        if kind and not key and self.token.glued and self.token.kind in {"name", "text"}:
            key = self.next().text
        return names.resolved(kind, key, token.position)

    def operator(self) -> str:
        token = self.next()
        negated = token.says("not")
        if negated:
            token = self.next()
        word = _SAME.get(token.text, token.text).lower()
        if token.kind == "operator" and word in _COMPARING and not negated:
            return word
        if token.says("like", "ilike", "in"):
            return f"not {word}" if negated else word
        if token.kind == "end":
            raise FilterError("it ends where a comparison should be.", token.position, expected=_OPERATORS)
        near = get_close_matches(word[:20], ["like", "ilike", "in", "is"], n=1) if token.kind == "word" else []
        problem = f"“{token.text[:60]}” is no comparison."
        raise FilterError(problem, token.position, expected=_OPERATORS, suggestion="".join(near))

    def null(self, name: Name) -> Node:
        negated, token = self.took("not"), self.next()
        if not token.says("null", "none", "absent"):
            said = token.text[:60] or "nothing"
            problem = f"“is” cannot be followed by “{said}”."
            raise FilterError(problem, token.position, expected="null or not null", suggestion=f"= {said}")
        return Not(Absent(name)) if negated else Absent(name)

    def listed(self, name: Name) -> tuple[Value, ...]:
        if not self.took("("):
            raise FilterError("a list begins with a parenthesis.", self.token.position, expected='("a", "b")')
        found: list[Value] = []
        while not found or not self.took(")"):
            if found and not self.took(","):
                raise FilterError("values of a list are parted by commas.", self.token.position, expected=", or )")
            if len(found) == MAX_VALUES:
                raise FilterError(f"a list has at most {MAX_VALUES} values.", self.token.position)
            found.append(values.value(name, "in", self.next(), self.now))
        return tuple(found)

    def _not_joined(self) -> FilterError:
        token = self.token
        meant = {"&&": "and", "&": "and", ",": "and", "||": "or", "|": "or", ")": ""}.get(token.text, "and …")
        problem = f"“{token.text[:60]}” does not follow." if token.text else "an empty text does not follow."
        return FilterError(problem, token.position, expected="and, or, or the end", suggestion=meant)
