"""Rows of ours about runs; MLflow's tables are the truth."""

from __future__ import annotations

from django.db import models

from datasets.models import DatasetVersion
from experiments.charts.models import Selection
from experiments.table.models import ChosenColumns, RunsAct, SavedView, TableSettings
from repos.models import Repository

__all__ = ["ChosenColumns", "RunCommit", "RunsAct", "SavedView", "Selection", "TableSettings"]


class DataState(models.Model):
    """The data of a commit: every output that DVC tracks there. Commits that change only code share one."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="data_states")
    digest = models.CharField(max_length=64)
    versions = models.ManyToManyField(DatasetVersion, related_name="states")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "digest"], name="one_data_state")]


class RunCommit(models.Model):
    """A run bound to the commit its tag names, once that commit is in the repository."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="run_commits")
    run_id = models.CharField(max_length=32)
    sha = models.CharField(max_length=40)
    state = models.ForeignKey(DataState, null=True, on_delete=models.SET_NULL, related_name="runs")  # None: not looked

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


class StageRecord(models.Model):
    """A stage as a dvc.lock records that it ran; the same record in many commits is one. An index made from git.

    key: of what it says. file: the dvc.lock. sha: the first commit that held it.
    """

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="stage_records")
    key = models.CharField(max_length=32)
    file = models.TextField()
    name = models.TextField()
    cmd = models.TextField()
    sha = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "key"], name="one_stage_record")]
        indexes = [models.Index(fields=["repository", "sha"], name="stage_records_of_commit")]


class StageItem(models.Model):
    """What a stage read or made. oid: md5 as DVC writes it.

    A dependency inside of an output, or a folder around some, is here twice: as it is written, and as those outputs.
    """

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="stage_items")
    record = models.ForeignKey(StageRecord, on_delete=models.CASCADE, related_name="items")
    made = models.BooleanField(help_text="whether it is an output")
    path = models.TextField()
    path_hash = models.CharField(max_length=64, help_text="sha256 of path: any length can be looked up")
    oid = models.CharField(max_length=36)

    class Meta:
        indexes = [
            models.Index(fields=["repository", "oid", "made"], name="stage_items_by_content"),
            models.Index(fields=["repository", "path_hash"], name="stage_items_by_path"),
        ]


class LineageIndex(models.Model):
    """How far the stages of a repository are indexed: the commits its refs stood at."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="lineage_index")
    tips = models.JSONField(default=list)
