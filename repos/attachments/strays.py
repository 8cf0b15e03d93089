"""Attachments that no text names: after a day they go, row and bytes.

Nobody has to tell when a text names one. Before a file goes, the texts that were written since it came are looked
through once; what is found in one stays for good, also when the text changes later: its history still shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from repos.attachments.keeping import keeper
from repos.attachments.models import Attachment

GRACE = timedelta(days=1)
BATCH = 500
# Each gives the texts of a repository that were written or changed since a moment. Filled by the apps above.
TEXTS: list[Callable[[int, datetime], Iterable[str]]] = []
TOKEN = re.compile(r"/attachments/([0-9a-f]{32})")


def sweep() -> int:
    """How many went. Raises ObjectStoreError when the store does not answer; what was done until then stands."""
    before, swept = timezone.now() - GRACE, 0
    old = Attachment.objects.filter(named=False, created__lt=before)
    for repository_id in list(old.order_by("repository_id").values_list("repository_id", flat=True).distinct()):
        while rows := list(old.filter(repository_id=repository_id).order_by("created", "pk")[:BATCH]):
            swept += _sweep(repository_id, rows)
    return swept


def _sweep(repository_id: int, rows: list[Attachment]) -> int:
    """Each row is settled: it is named, or gone."""
    kept = mark(repository_id, rows)
    gone = [row for row in rows if row.pk not in kept]
    keeper().forget(repository_id, [row.token for row in gone])
    Attachment.objects.filter(pk__in=[row.pk for row in gone]).delete()
    return len(gone)


def mark(repository_id: int, rows: Sequence[Attachment]) -> set[int]:
    """Write down which of these (oldest first) a text names; their ids."""
    named = _named(repository_id, rows[0].created) if rows else set()
    kept = {row.pk for row in rows if row.token in named and row.sha256}
    Attachment.objects.filter(pk__in=kept).update(named=True)
    return kept


def _named(repository_id: int, since: datetime) -> set[str]:
    texts = (text for source in TEXTS for text in source(repository_id, since))
    return {token for text in texts for token in TOKEN.findall(text)}
