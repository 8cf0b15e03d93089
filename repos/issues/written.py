"""The texts of a repository's issues and pull requests, for whoever has to know what they name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from django.db.models import Q

from repos.issues.models import Entry, Issue, Milestone, Revision

CHUNK = 200


def texts_since(repository_id: int, since: datetime) -> Iterator[str]:
    """Those written or changed since then, with what they said before; of milestones all, which are few."""
    recent = Q(created__gte=since) | Q(edited__gte=since)
    sources = (
        Issue.objects.filter(recent, repository_id=repository_id),
        Entry.objects.filter(recent, issue__repository_id=repository_id).exclude(body=""),
        Revision.objects.filter(issue__repository_id=repository_id, created__gte=since),
    )
    yield from chain.from_iterable(
        rows.values_list("body", flat=True).order_by().iterator(chunk_size=CHUNK) for rows in sources
    )
    yield from Milestone.objects.filter(repository_id=repository_id).values_list("description", flat=True)
