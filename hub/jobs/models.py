"""Rows that are the truth of background work; a Celery task is only a hint to look at them."""

from __future__ import annotations

from django.db import models


class Outbox(models.Model):
    """An event announced inside a transaction and delivered after it, at least once, in order of id.

    topic: e.g. "repos.pushed". payload: ids only; receivers read the rows again.
    """

    topic = models.CharField(max_length=100)
    payload = models.JSONField()
    created = models.DateTimeField(auto_now_add=True)
    delivered = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.DateTimeField(auto_now_add=True)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt"], condition=models.Q(delivered=None), name="outbox_pending"),
        ]


class Job(models.Model):
    """Long work someone may watch: who asked, how far it is, and a lease that a dead worker lets expire."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=100)
    key = models.CharField(max_length=200, unique=True, help_text="The same work asked twice is one row.")
    arguments = models.JSONField(default=dict)
    repository_id = models.BigIntegerField(null=True, db_index=True)
    user_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    log_tail = models.TextField(blank=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    excused = models.PositiveIntegerField(
        default=0, help_text="Attempts that ended by no fault of the work: something was away, the worker stopped."
    )
    not_before = models.DateTimeField(null=True, help_text="When to try again, after an outage.")
    leased_until = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "leased_until"])]

    @property
    def waits_for(self) -> str:
        """In words, while it is queued."""
        return f"{self.error} It is tried again by itself." if self.error else "Waiting for a worker…"


class Answer(models.Model):
    """What a request that made something was answered, so that it can be sent again: see hub.jobs.once."""

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    asked = models.CharField(max_length=64, help_text="sha256 of the method, the address and the body")
    status = models.PositiveSmallIntegerField()
    body = models.TextField(help_text="JSON")
    created = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="one_answer")]
