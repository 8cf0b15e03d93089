"""A cache of what is made from git by immutable ids. Access is checked before anybody asks here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.core.cache import cache

from repos.models import Repository

T = TypeVar("T")
KEEP_SECONDS = 7 * 24 * 3600
VERSION = 2  # grows when the shape of cached values changes
_ABSENT = object()


def by_ids(repository: Repository, kind: str, *ids: object, make: Callable[[], T]) -> T:
    """The value for these ids, made once. ids: object ids, paths, options; never the name of a branch."""
    key = key_of(repository, kind, *ids)
    value = cache.get(key, _ABSENT)
    if value is _ABSENT:
        value = make()
        cache.set(key, value, KEEP_SECONDS)
    return value


def by_refs(repository: Repository, kind: str, *ids: object, make: Callable[[], T]) -> T:
    """The same for lists of refs: valid until any ref of this repository moves."""
    return by_ids(repository, kind, repository.ref_generation, *ids, make=make)


def known(key: str) -> object:
    """What is kept under a key of key_of; None when nothing is."""
    return cache.get(key)


def known_many(keys: Iterable[str]) -> dict[str, object]:
    """What is kept under these keys; the others are left out."""
    return cache.get_many(list(keys))


def keep(key: str, value: object) -> None:
    cache.set(key, value, KEEP_SECONDS)


def key_of(repository: Repository, kind: str, *ids: object) -> str:
    digest = hashlib.sha256(repr(ids).encode("utf-8", "surrogateescape")).hexdigest()
    return f"git:{VERSION}:{repository.pk}:{kind}:{digest}"
