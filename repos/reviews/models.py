"""Rows of reviews: pending ones that only their author sees, and what was submitted."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from repos.issues.models import Entry, Thread
from repos.pulls.models import PullRequest

USER = settings.AUTH_USER_MODEL


class Review(models.Model):
    """head_id: the head that was looked at when it was submitted. body: until then; afterwards the entry has it.

    dismissed, dismissed_by, why: somebody with write access took an approval, or a request for changes, back.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        CHANGES_REQUESTED = "changes_requested"
        COMMENTED = "commented"
        DISMISSED = "dismissed"

    pull = models.ForeignKey(PullRequest, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=20, choices=State.choices, default=State.PENDING)
    head_id = models.CharField(max_length=40)
    body = models.TextField(blank=True)
    entry = models.OneToOneField(Entry, null=True, on_delete=models.SET_NULL, related_name="review")
    created = models.DateTimeField()
    submitted = models.DateTimeField(null=True)
    dismissed = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pull", "author"], condition=models.Q(state="pending"), name="one_pending_review"
            )
        ]
        indexes = [models.Index(fields=["pull", "author", "id"], name="reviews_in_order")]


class Comment(models.Model):
    """What a review says about lines. thread: that it answers; else path, rev, detail: where it begins one, checked.

    entry: what it became when the review was submitted; its text is there from then on.
    """

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="comments")
    thread = models.ForeignKey(Thread, null=True, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=1000, blank=True)
    rev = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict)
    body = models.TextField()
    created = models.DateTimeField()
    entry = models.OneToOneField(Entry, null=True, on_delete=models.SET_NULL, related_name="review_comment")
