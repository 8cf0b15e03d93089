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
    metadata = models.JSONField(default=dict, help_text="headers that an S3 client gave it: {lower-case name: value}")
    created = models.DateTimeField(auto_now_add=True, help_text="when these bytes came; S3 says Last-Modified")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "bucket", "key"], name="one_object_per_key")]


class MultipartUpload(models.Model):
    """An upload in parts that an S3 client has begun. Whoever removes this row may publish or drop the parts."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="multipart_uploads")
    bucket = models.CharField(max_length=63)
    key = models.CharField(max_length=1024)
    name = models.CharField(max_length=64, unique=True, help_text="the upload id that the client holds")
    handle = models.CharField(max_length=400, help_text="what the object store calls it")
    metadata = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["repository", "bucket", "key"], name="uploads_of_bucket")]


class UploadedPart(models.Model):
    """One part of it, durable in the store. tag: what the store calls it; md5: what the client calls it."""

    upload = models.ForeignKey(MultipartUpload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size = models.BigIntegerField()
    md5 = models.CharField(max_length=32)
    tag = models.CharField(max_length=200)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="one_part_per_number")]
