"""A hub whose git lives in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def git_root(git_root: Path) -> Path:
    cache.clear()  # throttles count in the cache
    return git_root
