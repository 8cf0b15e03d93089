"""Registered models as JSON, for the API. Times are ISO 8601 in UTC, null where MLflow noted none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiments.registry.files import Contents
from experiments.registry.reading import Model, Version


def model(found: Model) -> dict[str, Any]:
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


def version(found: Version) -> dict[str, Any]:
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
