"""Rows of ours about runs; MLflow's tables are the truth."""

from __future__ import annotations

from django.db import models

from experiments.table.models import ChosenColumns, RunsAct, SavedView, TableSettings
from repos.models import Repository

__all__ = ["ChosenColumns", "RunCommit", "RunsAct", "SavedView", "TableSettings"]


class RunCommit(models.Model):
    """A run bound to the commit its tag names, once that commit is in the repository."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="run_commits")
    run_id = models.CharField(max_length=32)
    sha = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "run_id"], name="one_commit_per_run")]
        indexes = [models.Index(fields=["repository", "sha"])]


class TrackedIndex(models.Model):
    """How far the runs made from git are: an index, which git can make again.

    tips: {"named": […], "exps": {…: name}}, commits that refs pointed at. runs: how many there were then.
    waiting: commit → keys of files of metrics that were not pushed yet.
    """

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="tracked_index")
    tips = models.JSONField(default=dict)
    runs = models.PositiveIntegerField(default=0)
    waiting = models.JSONField(default=dict)
