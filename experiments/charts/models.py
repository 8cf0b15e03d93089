"""Rows about charts of runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from repos.models import Repository


class Selection(models.Model):
    """Runs that somebody compares, too many for an address. Only ids: who opens it sees those that he may read.

    key: of the ids, so the same choice has the same address. run_ids: in the order of the choice, of any repository.
    """

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="run_selections")
    key = models.CharField(max_length=32)
    run_ids = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "key"], name="one_selection_of_the_same_runs")]
        indexes = [models.Index(fields=["made_by", "made"])]
