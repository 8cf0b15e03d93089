"""The texts of reviews that wait to be submitted; afterwards they are entries of the conversation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from repos.reviews.models import Comment, Review

CHUNK = 200


def texts_since(repository_id: int, since: datetime) -> Iterator[str]:
    """All of those that wait: when one was changed is not written down."""
    waiting = Review.objects.filter(pull__issue__repository_id=repository_id, state=Review.State.PENDING)
    comments = Comment.objects.filter(review__in=waiting)
    for rows in (waiting, comments):
        yield from rows.values_list("body", flat=True).iterator(chunk_size=CHUNK)
