"""Rows of statuses. They are only added to: what was said of a commit stays said."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from repos.models import Repository


class Status(models.Model):
    """One report about one commit. context: who reports, e.g. "ci/tests"; the newest of each context counts."""

    class State(models.TextChoices):
        ERROR = "error"
        FAILURE = "failure"
        PENDING = "pending"
        SUCCESS = "success"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="statuses")
    sha = models.CharField(max_length=40)
    context = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=State.choices)
    description = models.CharField(max_length=500, blank=True)
    target_url = models.CharField(max_length=2000, blank=True, help_text="http or https")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["repository", "sha", "context", "id"], name="statuses_of_commit")]
