"""Rows beside pull requests: who is asked to review, and merges that wait."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from repos.pulls.models import PullRequest

USER = settings.AUTH_USER_MODEL


class ReviewRequest(models.Model):
    """Somebody is asked to review. by None: their files are touched, .covey/OWNERS says."""

    pull = models.ForeignKey(PullRequest, on_delete=models.CASCADE, related_name="review_requests")
    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="review_requests")
    by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(help_text="asked, or asked again")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pull", "user"], name="one_review_request")]


class AutoMerge(models.Model):
    """A merge that waits until all that is asked for is met. user: in whose name, whose access is asked again then.

    since: the id of the newest move of a ref when this was said; who moved the head after it must have write access.
    asked: how often something happened that may have met the last requirement; names the job that looks.
    """

    pull = models.OneToOneField(PullRequest, on_delete=models.CASCADE, related_name="auto_merge")
    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=10)
    message = models.TextField(blank=True)
    delete_branch = models.BooleanField(default=False)
    head = models.CharField(max_length=40, help_text="what the person has seen")
    since = models.BigIntegerField()
    tried = models.CharField(max_length=81, blank=True, help_text="base and head that git could not merge")
    asked = models.PositiveIntegerField(default=0)
    created = models.DateTimeField()
