"""Rows about tables of runs: what a repository agreed on, views by name, what people chose, what can be undone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from repos.models import Repository

MOST_QUERY_CHARACTERS = 16_000  # of an address; longer ones servers and browsers refuse


class SavedView(models.Model):
    """An address of the table by a name: its owner's, or everybody's who may read the repository when it is shared."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    query = models.TextField(help_text="what follows the question mark")
    shared = models.BooleanField(default=False)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "owner", "name"], name="one_view_per_name_and_person"),
            models.UniqueConstraint(fields=["repository", "name"], condition=Q(shared=True), name="shared_view_name"),
        ]


class TableSettings(models.Model):
    """What a repository agreed on. directions: metric → "min" or "max", for what its name does not tell."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="table_settings")
    baseline = models.CharField(max_length=36, blank=True, help_text="the id of a run")
    view = models.ForeignKey(SavedView, on_delete=models.SET_NULL, null=True, related_name="+")
    directions = models.JSONField(default=dict)


class ChosenColumns(models.Model):
    """The columns a person chose last in a repository: shown where an address names none."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    query = models.TextField(help_text="columns=, fixed= and width= as an address writes them")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "user"], name="one_choice_of_columns")]


class RunsAct(models.Model):
    """Something done to many runs at once, until it is undone or a day old. before: run id → what was before."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    verb = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["user", "made"])]
