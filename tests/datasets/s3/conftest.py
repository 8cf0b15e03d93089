"""A person with a token, and signed requests in process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.accounts.models import User
from repos.models import Repository
from tests.support import s3
from tests.support.asgi import Answer

Caller = Callable[..., Answer]


@pytest.fixture
def bobs(bob: User, private: Repository, token_of: Callable[..., str], folder: object) -> Caller:
    """bobs(method, path below /alice/private.s3/, …): bob may write there."""
    token = token_of(bob)
    return lambda method, path, **options: s3.call(method, f"/alice/private.s3/{path}", token, **options)
