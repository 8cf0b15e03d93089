"""alice/private with two commits; bob writes, charlie is a stranger."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import cache

from repos.models import Repository
from tests.support.writer import Writer


@pytest.fixture(autouse=True)
def git_root(git_root: Path) -> Path:
    cache.clear()  # throttles count in the cache
    return git_root


@pytest.fixture
def project(private: Repository, writer) -> Writer:
    made = writer(private)
    made.commit({"a.txt": "a\n"}, "First")
    made.commit({"b.txt": "b\n"}, "Second")
    made.git("branch", "first", "main~1")
    return made
