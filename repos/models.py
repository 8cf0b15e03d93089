"""Rows of a repository. Git itself is the truth; counts, sizes and pushes here can be made again from it."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from hub.accounts.models import Owner
from repos.git.store import path_of

if TYPE_CHECKING:
    from hub.accounts.actor import Actor, Area


class Access(IntEnum):
    """The ladder. Each rung holds everything below it."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


class RepositoryQuerySet(models.QuerySet["Repository"]):
    def visible_to(self, actor: Actor, *, area: Area | None = None) -> RepositoryQuerySet:
        """What this actor may read: the list form of access.repository_for(need=READ); a test holds them together."""
        if area is not None and not actor.has_scope(area, write=False):
            return self.none()
        readable = Q(private=False)
        if actor.user is not None:
            member = Membership.objects.filter(user=actor.user).values("repository_id")
            readable |= Q(owner__user=actor.user) | Q(pk__in=member)
        found = self.filter(readable, deleted=None)
        return found.filter(pk=actor.repository_id) if actor.repository_id is not None else found


class Repository(models.Model):
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="repositories")
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=100, help_text="name in lower case")
    description = models.CharField(max_length=350, blank=True)
    website = models.URLField(max_length=200, blank=True)
    private = models.BooleanField(default=True)
    default_branch = models.CharField(max_length=250, default="main")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)
    pushed = models.DateTimeField(null=True)
    deleted = models.DateTimeField(null=True, help_text="hidden at once; its stores are removed by a task")
    merge_methods = models.CharField(
        max_length=40, default="merge squash rebase", help_text="of pull requests: those allowed, the usual one first"
    )
    delete_merged_branches = models.BooleanField(default=False, help_text="as the merge box proposes")
    ref_generation = models.BigIntegerField(default=0, help_text="grows with every ref change; keys cached lists")
    maintained_generation = models.BigIntegerField(default=0, help_text="ref_generation as of the last maintenance")
    empty = models.BooleanField(default=True)
    size_bytes = models.BigIntegerField(default=0)
    # Counts shown on tabs and cards, written by the apps above; a rebuild command makes them again.
    stars_count = models.PositiveIntegerField(default=0)
    outputs_count = models.PositiveIntegerField(default=0)
    runs_count = models.PositiveIntegerField(default=0)
    models_count = models.PositiveIntegerField(default=0)
    issues_count = models.PositiveIntegerField(default=0, help_text="open ones")
    pulls_count = models.PositiveIntegerField(default=0, help_text="open ones")

    # Of forks (repos/forks). Copies in everything: the rows only say where it came from.
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="forks")
    network = models.BigIntegerField(
        null=True, db_index=True, help_text="of a fork: the id of the repository that the first of them was made from"
    )
    kept_private = models.BooleanField(
        default=False, help_text="a fork of a private repository: never public while that one is not"
    )
    forked = models.BooleanField(default=False, help_text="somebody has forked it; else nobody looks for forks")

    data_limit_bytes = models.BigIntegerField(
        null=True, help_text="of its objects, set by administrators of the hub; 0: none, null: the hub's default"
    )

    objects = RepositoryQuerySet.as_manager()
    granted: Access = Access.NONE  # what the asking actor may do; set by access.repository_for

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name_key"], condition=Q(deleted=None), name="repository_name"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = self.name.lower()
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.owner.name}/{self.name}"

    @property
    def path(self) -> Path:
        """The bare directory on disk."""
        return path_of(settings.GIT_ROOT, self.pk)

    def get_absolute_url(self) -> str:
        return reverse("repos:home", args=[self.owner.name, self.name])

    @property
    def can_write(self) -> bool:
        return self.granted >= Access.WRITE

    @property
    def can_admin(self) -> bool:
        return self.granted >= Access.ADMIN


class Membership(models.Model):
    """A collaborator: one person's rung on one repository they do not own."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    access = models.PositiveSmallIntegerField(choices=[(a.value, a.name.lower()) for a in Access if a])
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "user"], name="one_membership")]


class BranchRule(models.Model):
    """What branches of a name ask for; see repos.rules. Each also refuses their deletion and force pushes."""

    class Push(models.TextChoices):
        """Who may change the branch without a pull request."""

        WRITERS = "writers"
        ADMINS = "admins"
        NOBODY = "nobody"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="branch_rules")
    pattern = models.CharField(max_length=250, help_text="of repos.globs")
    push = models.CharField(max_length=10, choices=Push.choices, default=Push.WRITERS)
    approvals = models.PositiveSmallIntegerField(default=0)
    approvals_of_head = models.BooleanField(default=False, help_text="an approval counts until the next push")
    owners = models.BooleanField(default=False, help_text="owners of touched files must approve")
    statuses = models.JSONField(default=list, help_text="contexts that must have succeeded at the head")
    up_to_date = models.BooleanField(default=False, help_text="the head holds every commit of the base")
    reviewed_data = models.BooleanField(default=False, help_text="no data changed after the newest approval")
    binds_admins = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "pattern"], name="one_branch_rule")]


class OldName(models.Model):
    """A name this repository had: its readers are redirected until somebody takes the name."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="old_names")
    owner_key = models.CharField(max_length=40)
    name_key = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner_key", "name_key"], name="one_old_name")]


class Transfer(models.Model):
    """An open offer to give a repository to another owner; accepting or declining removes the row."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="transfer")
    recipient = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="transfers")
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="transfers_offered")
    created = models.DateTimeField(auto_now_add=True)


class Topic(models.Model):
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="topics")
    name = models.CharField(max_length=40, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="one_topic")]


class Star(models.Model):
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="stars")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stars")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "user"], name="one_star")]


class Push(models.Model):
    """One change of refs, by push, web edit or API.

    Written PREPARED before git moves any ref, and settled after: a hub killed in between finds the row and asks git.
    """

    class State(models.TextChoices):
        PREPARED = "prepared"
        DONE = "done"
        FAILED = "failed"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="pushes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    token_id = models.BigIntegerField(null=True)
    via = models.CharField(max_length=10, default="git", help_text="git, web or api")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    created = models.DateTimeField(auto_now_add=True)
    settled = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "created"]), models.Index(fields=["repository", "-created"])]


class RefUpdate(models.Model):
    """One ref of a push: what it was, what it became; all zeros means absent."""

    push = models.ForeignKey(Push, on_delete=models.CASCADE, related_name="updates")
    ref = models.CharField(max_length=500)
    old = models.CharField(max_length=40)
    new = models.CharField(max_length=40)
    applied = models.BooleanField(default=False)
    forced = models.BooleanField(default=False)
