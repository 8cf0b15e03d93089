"""Where the bytes of attachments are kept: by the one app above that has an object store with names and limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from repos.content import Content
from repos.models import Repository


class Keeper(Protocol):
    """key: an attachment's token. Everything under a key goes with its repository."""

    async def keep(self, repository: Repository, key: str, stream: AsyncIterator[bytes], size: int) -> str:
        """The sha256 of what was kept; it survives kill -9. Raises what tells that there is no room, ObjectStoreError,
        NotFound when the repository has gone."""
        ...

    def open(self, repository: Repository, key: str, name: str) -> Content | None:
        """Blocking; None when the bytes are not here."""
        ...

    def forget(self, repository_id: int, keys: Collection[str]) -> None:
        """Absent is fine."""
        ...


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    _keepers[:] = [keeper]


def keeper() -> Keeper:
    return _keepers[0]
