"""Rows of attachments."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from repos.models import Repository


class Attachment(models.Model):
    """A file that a text may show. sha256 "": its bytes are not here yet. named: a text was seen that names it."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="attachments")
    token = models.CharField(max_length=32, unique=True, help_text="in its address, and its key in the store")
    name = models.CharField(max_length=120, help_text="of the file, without folders")
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default="")
    width = models.PositiveIntegerField(null=True, help_text="of an image, in pixels")
    height = models.PositiveIntegerField(null=True)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField()
    named = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["named", "created"], name="attachments_by_age")]
