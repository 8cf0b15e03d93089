"""Registered models as JSON, for the API. Times are ISO 8601 in UTC, null where MLflow noted none."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from experiments.registry.files import Contents
from experiments.registry.reading import Model, Version


class ModelObject(TypedDict):
    """versions: how many it has. aliases: the version that each points at."""

    name: str
    description: str
    created: str | None
    updated: str | None
    latest_version: int | None
    versions: int
    aliases: dict[str, int]
    tags: dict[str, str]


class ModelVersionObject(TypedDict):
    model: str
    version: int
    description: str
    created: str | None
    updated: str | None
    stage: str
    status: str
    source: str
    run_id: str | None
    logged_model_id: str | None
    aliases: list[str]
    tags: dict[str, str]


class ModelFileObject(TypedDict):
    path: str
    bytes: int
    url: str


class SignatureColumn(TypedDict):
    name: str
    type: str
    optional: bool


class OneModelVersionObject(ModelVersionObject):
    """With what its files say. card: the front matter; problem: why they could not be read."""

    files: list[ModelFileObject]
    flavors: dict[str, Any]
    signature: dict[str, list[SignatureColumn]]
    requirements: list[str]
    card: dict[str, Any]
    problem: str


def model(found: Model) -> ModelObject:
    return {
        "name": found.name,
        "description": found.description,
        "created": _iso(found.created),
        "updated": _iso(found.updated),
        "latest_version": found.latest or None,
        "versions": found.versions,
        "aliases": found.aliases,
        "tags": found.tags,
    }


def version(found: Version) -> ModelVersionObject:
    return {
        "model": found.model,
        "version": found.number,
        "description": found.description,
        "created": _iso(found.created),
        "updated": _iso(found.updated),
        "stage": found.stage,
        "status": found.status,
        "source": found.source,
        "run_id": found.run_id or None,
        "logged_model_id": found.logged_id or None,
        "aliases": found.aliases,
        "tags": found.tags,
    }


def contents(found: Contents, *, base: str) -> dict[str, Any]:
    """What its files say. base: the absolute address of the repository's mount, ending in "/"."""
    return {
        "files": [{"path": file.path, "bytes": file.size, "url": f"{base}{file.url}"} for file in found.files],
        "flavors": dict(found.flavors),
        "signature": {
            side: [{"name": name, "type": kind, "optional": optional} for name, kind, optional in columns]
            for side, columns in found.signature.items()
        },
        "requirements": found.requirements,
        "card": found.front,
        "problem": found.problem,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
