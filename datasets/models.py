"""Objects: what bytes the store holds, and which repository may name them."""

from __future__ import annotations

from django.db import models

from repos.models import Repository


class Blob(models.Model):
    """Bytes kept once. Deduplicated by sha256, never by md5 alone: a colliding twin could be planted."""

    sha256 = models.CharField(max_length=64, unique=True)
    md5 = models.CharField(max_length=32, db_index=True)  # "" until somebody asks for it: intact.md5_of()
    size = models.BigIntegerField()
    key = models.CharField(max_length=120, help_text="the object's key in the store")
    created = models.DateTimeField(auto_now_add=True)
    checked = models.DateTimeField(null=True, db_index=True, help_text="when its bytes were last read again, whole")
    rotten = models.DateTimeField(null=True, help_text="since when they are known to be damaged or lost")

    class Meta:
        indexes = [models.Index(fields=["rotten"], condition=models.Q(rotten__isnull=False), name="rotten_blobs")]


class StoredObject(models.Model):
    """A repository's name for a blob. Existence and reads go by this row only; publishing is this one row.

    To clients, a name of rotten bytes is absent: so they send them again.
    """

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="objects_stored")
    bucket = models.CharField(max_length=63, default="dvc")
    key = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="names")
    etag = models.CharField(max_length=80)
    metadata = models.JSONField(default=dict, help_text="headers that an S3 client gave it: {lower-case name: value}")
    created = models.DateTimeField(auto_now_add=True, help_text="when these bytes came; S3 says Last-Modified")
    told = models.DateTimeField(null=True, help_text="when somebody who may push last heard that it is here")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "bucket", "key"], name="one_object_per_key")]


class StorageCount(models.Model):
    """How many bytes a repository with a limit names: a count that quotas.py keeps, and makes again from the names."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="storage_count")
    size = models.BigIntegerField(default=0)
    counted = models.DateTimeField(null=True)


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


class DatasetVersion(models.Model):
    """What one path of a repository was: an output of DVC, or a data file in git. An index, made again from git.

    identity: "md5:<oid>" of DVC (with ".dir" for a directory), "git:<blob id>", or "files:<hash>" of a pointer that
    lists its files itself. size in bytes and files as far as the pointer says. rows of a table: null until they are
    counted, UNCOUNTABLE where they cannot be.
    """

    UNCOUNTABLE = -1

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="dataset_versions")
    path = models.TextField()
    path_hash = models.CharField(max_length=64, help_text="sha256 of path: any length can be looked up")
    identity = models.CharField(max_length=80)
    is_dir = models.BooleanField(default=False)
    size = models.BigIntegerField(null=True)
    files = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "path_hash", "identity"], name="one_dataset_version")
        ]
        indexes = [models.Index(fields=["repository", "identity"], name="versions_by_content")]


class DatasetChange(models.Model):
    """A commit that changed a dataset, against its first parent. version: what it became, None when it went."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="dataset_changes")
    commit = models.CharField(max_length=40)
    path_hash = models.CharField(max_length=64)
    before = models.ForeignKey(DatasetVersion, null=True, on_delete=models.CASCADE, related_name="left_by")
    version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.CASCADE, related_name="made_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "commit", "path_hash"], name="one_change_per_commit")
        ]
        indexes = [models.Index(fields=["repository", "path_hash"], name="changes_of_dataset")]


class DatasetIndex(models.Model):
    """How far a repository is indexed: the commits its refs stood at. Everything behind them is in DatasetChange."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="dataset_index")
    tips = models.JSONField(default=list)
    unread = models.JSONField(default=list, help_text="commits that changed more files than can be listed in time")
    updated = models.DateTimeField(auto_now=True)


class TableKey(models.Model):
    """Columns that name a row of the tables at a path. What .covey/config.yml of a commit says comes first."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="table_keys")
    pattern = models.CharField(max_length=300, help_text="a path, or a pattern of paths as in a shell")
    columns = models.JSONField(help_text="names of columns, in order")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "pattern"], name="one_table_key_per_pattern")]
