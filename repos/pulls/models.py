"""What a pull request has beyond its issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from repos.issues.models import Issue

if TYPE_CHECKING:
    from repos.models import Repository
    from repos.rules import Asked


class PullRequest(models.Model):
    """base, head: names of branches. base_id, head_id: their tips as last seen while it was open.

    draft: not to be merged yet. merge_commit: what the last attempt to merge has made, or what was merged (of a rebase
    the last of them, base_id being where the base was before); merged_by: who made it. claimed: when somebody began to
    merge; whether it happened is for git to say: a request is merged exactly when its merge commit is in the base.
    delete_branch: the head goes once it is merged. head_repository: the fork that head is a branch of, None for the
    repository itself. agreed: whoever opened it knows that the commits of a private fork become public. brought: bytes
    of git that came from the fork for it.
    """

    issue = models.OneToOneField(Issue, on_delete=models.CASCADE, primary_key=True, related_name="pull")
    base = models.CharField(max_length=250)
    head = models.CharField(max_length=250)
    head_repository = models.ForeignKey("repos.Repository", null=True, on_delete=models.PROTECT, related_name="+")
    agreed = models.BooleanField(default=False)
    brought = models.PositiveBigIntegerField(default=0)
    base_id = models.CharField(max_length=40)
    head_id = models.CharField(max_length=40)
    draft = models.BooleanField(default=False)
    merge_commit = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=10, blank=True)
    claimed = models.DateTimeField(null=True)
    merged = models.DateTimeField(null=True)
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    delete_branch = models.BooleanField(default=False)

    asked: Asked | None = None  # what the rules of its base ask; set by requirements.unmet

    class Meta:
        indexes = [
            models.Index(fields=["claimed"], condition=models.Q(claimed__isnull=False), name="pulls_claimed"),
        ]

    @property
    def repository(self) -> Repository:
        return self.issue.repository

    @property
    def number(self) -> int:
        return self.issue.number

    @property
    def base_ref(self) -> str:
        return f"refs/heads/{self.base}"

    @property
    def source(self) -> Repository:
        """Whose branch the head is. Of a fork that is gone, the row alone is left."""
        return self.head_repository or self.issue.repository

    @property
    def head_ref(self) -> str:
        """In the source."""
        return f"refs/heads/{self.head}"

    @property
    def merged_ref(self) -> str:
        """What is merged, in the repository's own store: a fork's commits stand at the ref that keeps them."""
        return self.ref if self.head_repository_id else self.head_ref

    @property
    def merge_ref(self) -> str:
        """The merge of both tips as it would be, while it is clean."""
        return f"refs/pull/{self.issue.number}/merge"

    @property
    def ref(self) -> str:
        """Keeps the commits, and can be fetched; nobody but the hub writes it."""
        return f"refs/pull/{self.issue.number}/head"


class Viewed(models.Model):
    """Somebody has read what a pull request changes in one file. file: the anchor of its section; old, new: the blobs
    that were read, so that the mark counts no more once the file holds something else."""

    pull = models.ForeignKey(PullRequest, on_delete=models.CASCADE, related_name="viewed")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file = models.CharField(max_length=40)
    old = models.CharField(max_length=40)
    new = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pull", "user", "file"], name="viewed_once")]


class Unsummarised(models.Model):
    """A repository whose pull requests get no summary."""

    repository = models.OneToOneField("repos.Repository", on_delete=models.CASCADE, primary_key=True, related_name="+")
