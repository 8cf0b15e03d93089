"""What people have chosen so far, a row for each place of each file."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from repos.pulls.models import PullRequest

REST = -1  # the place that stands for all others of a file


class Chosen(models.Model):
    """file: digest of what is in conflict (files.File.digest): a choice holds as long as the three sides of its file
    stay what they are, also when a branch moves. word, text: as in repos.pulls.drivers.Choice."""

    pull = models.ForeignKey(PullRequest, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file = models.CharField(max_length=64)
    place = models.IntegerField()
    word = models.CharField(max_length=20)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pull", "user", "file", "place"], name="conflicts_one_choice")]
