"""Objects: what bytes the store holds, and which repository may name them."""

from __future__ import annotations

from django.db import models

from repos.models import Repository


class Blob(models.Model):
    """Bytes kept once. Deduplicated by sha256, never by md5 alone: a colliding twin could be planted."""

    sha256 = models.CharField(max_length=64, unique=True)
    md5 = models.CharField(max_length=32, db_index=True)
    size = models.BigIntegerField()
    key = models.CharField(max_length=120, help_text="the object's key in the store")
    created = models.DateTimeField(auto_now_add=True)


class StoredObject(models.Model):
    """A repository's name for a blob. Existence and reads go by this row only; publishing is this one row."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="objects_stored")
    bucket = models.CharField(max_length=63, default="dvc")
    key = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="names")
    etag = models.CharField(max_length=80)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "bucket", "key"], name="one_object_per_key")]
