"""How long the answers of hub.jobs.once are kept. Apart from it: what it imports, no command and no worker needs."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from hub.jobs.models import Answer

KEPT = timedelta(days=1)


def old() -> QuerySet[Answer]:
    """Those that nobody may ask for any more."""
    return Answer.objects.filter(created__lt=timezone.now() - KEPT)


def forget_old() -> int:
    """How many were deleted."""
    return old().delete()[0]
