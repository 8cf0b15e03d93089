"""A REST client, and a hub whose git lives in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from hub.accounts.models import User


@pytest.fixture(autouse=True)
def git_root(tmp_path: Path, settings) -> Path:
    settings.GIT_ROOT = tmp_path / "git"
    cache.clear()  # throttles count in the cache
    return settings.GIT_ROOT


@pytest.fixture
def api(token_of: Callable[..., str]) -> Callable[..., APIClient]:
    """api(user, **token options) → a client with that user's token; api() → an anonymous one."""

    def make(user: User | None = None, **options: object) -> APIClient:
        client = APIClient(enforce_csrf_checks=True)
        if user:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(user, **options)}")
        return client

    return make
