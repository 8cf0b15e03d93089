"""alice/private, administered by alice and written by bob, with rules as a test makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from repos.models import BranchRule, Repository


@pytest.fixture(autouse=True)
def git_root(git_root: Path) -> Path:
    cache.clear()
    return git_root


@pytest.fixture
def ruled(private: Repository) -> Callable[..., BranchRule]:
    """ruled("main", push="nobody", …) → a rule of alice/private."""

    def make(pattern: str = "main", **values: Any) -> BranchRule:
        return BranchRule.objects.create(repository=private, pattern=pattern, **values)

    return make
