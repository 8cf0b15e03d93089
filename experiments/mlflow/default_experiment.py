"""Experiment "0" is what MLflow's clients mean when nobody chose one; in a hub it is the repository's own "Default".

In workspace mode MLflow knows id 0 only in its one default workspace, so the mount rewrites it before MLflow reads it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

_KEYS = frozenset({"experiment_id", "experiment_ids", "experimentId", "experimentIds"})
_KEY_IN_BODY = re.compile(rb'"experiment_?[iI]ds?"')
_ZERO = re.compile(rb'"0"|\b0\b')


@dataclass(frozen=True)
class Named:
    """What of a request can name experiments. document: the parsed body, None when it cannot matter."""

    query: bytes
    body: bytes
    header: str
    document: Any = None

    @classmethod
    def of(cls, query: bytes, body: bytes, header: str) -> Named:
        """Parses the body only when a cheap look says it may name experiment 0 (a metric batch never does)."""
        document = None
        if _KEY_IN_BODY.search(body) and _ZERO.search(body):
            try:
                document = json.loads(body)
            except (ValueError, RecursionError):
                document = None  # MLflow answers what is wrong with it
        return cls(query, body, header, document)

    @property
    def default(self) -> bool:
        """Whether experiment 0 is meant anywhere."""
        in_query = any(k in _KEYS and v == "0" for k, v in self._pairs())
        return self.header == "0" or in_query or _names_zero(self.document)

    def rewritten(self, default_id: str) -> Named:
        pairs = [(k, default_id if k in _KEYS and v == "0" else v) for k, v in self._pairs()]
        body = self.body
        if _names_zero(self.document):
            body = json.dumps(_replaced(self.document, default_id)).encode()
        header = default_id if self.header == "0" else self.header
        return replace(self, query=urlencode(pairs).encode(), body=body, header=header)

    def _pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)


def _is_zero(value: Any) -> bool:
    return value == "0" or (value == 0 and isinstance(value, int) and not isinstance(value, bool))


def _names_zero(node: Any, *, named: bool = False) -> bool:
    if isinstance(node, dict):
        return any(_names_zero(value, named=key in _KEYS) for key, value in node.items())
    if isinstance(node, list):
        return any(_names_zero(value, named=named) for value in node)
    return named and _is_zero(node)


def _replaced(node: Any, default_id: str, *, named: bool = False) -> Any:
    if isinstance(node, dict):
        return {key: _replaced(value, default_id, named=key in _KEYS) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, default_id, named=named) for value in node]
    return default_id if named and _is_zero(node) else node
