"""Choices of more runs than an address holds, stored under a short key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.db import transaction

from experiments.models import Selection
from hub.accounts.models import User
from hub.lib.errors import NotFound
from repos.models import Repository

MOST_KEPT = 500  # of one person; the oldest go first


def keep(repository: Repository, user: User, run_ids: Sequence[str]) -> str:
    """The key under which read() finds these ids."""
    key = hashlib.sha256("\n".join(run_ids).encode()).hexdigest()[:24]
    with transaction.atomic():
        chosen, made = Selection.objects.get_or_create(
            repository=repository, key=key, defaults={"run_ids": list(run_ids), "made_by": user}
        )
        if made:
            old = Selection.objects.filter(made_by=user).order_by("-made", "-pk").values("pk")[MOST_KEPT:]
            Selection.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return chosen.key


def read(repository: Repository, key: str) -> list[str]:
    """Raises NotFound."""
    if "\0" in key:
        raise NotFound("There is no such selection of runs here.")
    found = Selection.objects.filter(repository=repository, key=key).first()
    if found is None:
        raise NotFound("There is no such selection of runs here.")
    return [str(one) for one in found.run_ids]
