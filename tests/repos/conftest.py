"""What tests of repositories share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from repos import content
from repos.pulls import beside, drivers, requirements


@pytest.fixture
def registering() -> Iterator[None]:
    """What this test registers, beside what apps have registered, is forgotten after it."""
    registries: list[list[Any]] = [content._sources, drivers._drivers, requirements._checks, beside._knowing]
    before = [list(registry) for registry in registries]
    yield
    for registry, kept in zip(registries, before, strict=True):
        registry[:] = kept
