"""An attachment that only a pending review names stays: its author may submit it next week."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from repos.attachments import strays
from repos.attachments.models import Attachment
from repos.reviews.models import Comment, Review

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("where", ["review", "comment"])
def test_what_waits_keeps_what_it_names(where, private, pull, bob):
    old = timezone.now() - timedelta(days=2)
    rows = [
        Attachment.objects.create(
            repository=private, token=letter * 32, name="a.png", size=1, sha256="0" * 64, created=old, uploader=bob
        )
        for letter in "ab"
    ]
    text = f"![a.png](/alice/private/attachments/{rows[0].token}/a.png)"
    review = Review.objects.create(
        pull=pull, author=bob, head_id="0" * 40, body=text if where == "review" else "", created=old
    )
    Comment.objects.create(review=review, path="a", body=text if where == "comment" else "x", created=old)
    assert strays.sweep() == 1
    assert list(Attachment.objects.values_list("pk", "named")) == [(rows[0].pk, True)]
