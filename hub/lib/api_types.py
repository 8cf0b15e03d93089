"""Answers of the API in OpenAPI's words: a TypedDict is a component, and mypy holds the code to it."""

from __future__ import annotations

import types
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from drf_spectacular.plumbing import ResolvedComponent

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
    object: {},
    type(None): {"nullable": True},
}


def schema_of(hint: Any, registry: Any) -> dict[str, Any]:
    """The schema of a value of this type. registry: drf-spectacular's, where its TypedDicts are put."""
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if is_typeddict(hint):
        return _component(hint, registry)
    origin, within = get_origin(hint), get_args(hint)
    if origin in {list, tuple}:
        return {"type": "array", "items": schema_of(within[0], registry)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(within[1], registry)}
    if origin is Literal:
        return {"type": "string", "enum": list(within)}
    if origin in {Union, types.UnionType}:
        return _one_of(within, registry)
    raise TypeError(f"The API has no word for {hint!r}.")


def name_of(hint: type) -> str:
    return hint.__name__.removesuffix("Object")


def _one_of(within: tuple[Any, ...], registry: Any) -> dict[str, Any]:
    found = [schema_of(one, registry) for one in within if one is not type(None)]
    one = found[0] if len(found) == 1 else {"anyOf": found}
    if type(None) not in within or not one:
        return one
    return {"allOf": [one], "nullable": True} if "$ref" in one else {**one, "nullable": True}


def _component(hint: Any, registry: Any) -> dict[str, Any]:
    component = ResolvedComponent(name_of(hint), ResolvedComponent.SCHEMA, object=hint)  # type: ignore[no-untyped-call]
    if component not in registry:
        registry.register(component)  # before its fields, which may hold it again
        hints = get_type_hints(hint, include_extras=True)  # its own __required_keys__ knows no postponed annotations
        optional = {name: get_args(kind)[0] for name, kind in hints.items() if get_origin(kind) is NotRequired}
        component.schema = {
            "type": "object",
            "properties": {name: schema_of(kind, registry) for name, kind in (hints | optional).items()},
            "required": sorted(hints.keys() - optional),
            **({"description": hint.__doc__} if hint.__doc__ else {}),
        }
    return component.ref
