"""YAML as DVC writes it: ruamel's round trip, so that comments, order and quotes are what `dvc` would have left."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from datasets.dvc import documents
from datasets.dvc.documents import Malformed


def load(data: bytes) -> Any:
    """The document with its types (a param 0.1 is a number). Raises Malformed; refuses what documents.load refuses."""
    documents.load(data)  # sizes, depth, aliases
    try:
        return _yaml().load(data) or {}
    except (YAMLError, ValueError) as error:
        raise Malformed(str(error)[:200]) from error


def dump(document: Any) -> bytes:
    out = io.BytesIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.default_flow_style = False
    return yaml
