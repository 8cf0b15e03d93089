"""Rows of issues and of the conversation below them, which pull requests share."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from hub.accounts.models import User
from repos.models import Repository

USER = settings.AUTH_USER_MODEL


class Counter(models.Model):
    """The last number given in a repository. Issues and pull requests share it; no number is ever given twice."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, primary_key=True, related_name="+")
    last = models.PositiveIntegerField(default=0)
    last_milestone = models.PositiveIntegerField(default=0)


class Label(models.Model):
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=50)
    name_key = models.CharField(max_length=200, help_text="name in lower case, which may be longer")
    colour = models.CharField(max_length=6, help_text="six hexadecimal digits")
    description = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name_key"], name="one_label")]


class Milestone(models.Model):
    """What a set of issues leads to. number: its own, per repository, as GitHub's API knows it."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="milestones")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    due = models.DateField(null=True)
    closed = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "number"], name="one_milestone")]


class Issue(models.Model):
    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"
        MERGED = "merged"  # of pull requests only

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="issues")
    number = models.PositiveIntegerField()
    is_pull = models.BooleanField(default=False)
    title = models.CharField(max_length=256)
    body = models.TextField(blank=True)
    author = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="issues")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    locked = models.BooleanField(default=False)
    created = models.DateTimeField()
    updated = models.DateTimeField()
    edited = models.DateTimeField(null=True)
    closed = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    milestone = models.ForeignKey(Milestone, null=True, on_delete=models.SET_NULL, related_name="issues")
    labels = models.ManyToManyField(Label, related_name="issues")
    assignees: models.ManyToManyField[User, models.Model] = models.ManyToManyField(USER, related_name="assigned_issues")
    comments_count = models.PositiveIntegerField(default=0)
    tasks_done = models.PositiveSmallIntegerField(default=0)
    tasks_count = models.PositiveSmallIntegerField(default=0, help_text="boxes of task lists in the body")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "number"], name="one_issue")]
        # The three orders of the list, each walked from either end.
        indexes = [
            models.Index(fields=["repository", "is_pull", "state", "number"], name="issues_by_number"),
            models.Index(fields=["repository", "is_pull", "state", "updated", "number"], name="issues_by_update"),
            models.Index(fields=["repository", "is_pull", "state", "comments_count", "number"], name="issues_by_talk"),
        ]

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    def get_absolute_url(self) -> str:
        return url_of(self.repository.full_name, self.number, is_pull=self.is_pull)


def url_of(full_name: str, number: int, *, is_pull: bool) -> str:
    return f"/{full_name}/{'pull' if is_pull else 'issues'}/{number}"


class Thread(models.Model):
    """What is said about one place, in the conversation of one issue. Its comments are entries, the first begins it.

    path: of the file; of a run its id; of a model "name/version". rev: the full id of the commit it was said at, or "".
    detail, per kind: line {"side": "old" or "new", "start", "line"}; row {"key": {column: value}};
    image {"region": [x, y, width, height] as fractions} or {}. Kinds keep here, too, what they quote later.
    """

    class Kind(models.TextChoices):
        LINE = "line"
        ROW = "row"
        IMAGE = "image"
        RUN = "run"
        MODEL = "model"

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="threads")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    path = models.CharField(max_length=1000)
    rev = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict)
    created = models.DateTimeField()
    resolved = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["repository", "kind", "path"], name="threads_by_place")]


class Entry(models.Model):
    """One thing in the conversation below an issue: a comment, or something that happened. Ordered by id.

    thread: of a comment on one place; the later ones of a thread are shown below its first.
    detail: of the kinds that are no comments, e.g. {"from": …, "to": …}, {"label": {"name", "colour"}}, {"commit": …}.
    """

    class Kind(models.TextChoices):
        COMMENT = "comment"
        REVIEWED = "reviewed"  # what somebody said with a verdict
        REMOVED = "removed"  # a comment whose text is gone
        CLOSED = "closed"
        REOPENED = "reopened"
        RENAMED = "renamed"
        LABELLED = "labelled"
        UNLABELLED = "unlabelled"
        ASSIGNED = "assigned"
        UNASSIGNED = "unassigned"
        MILESTONED = "milestoned"
        LOCKED = "locked"
        UNLOCKED = "unlocked"

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="entries")
    thread = models.ForeignKey(Thread, null=True, on_delete=models.CASCADE, related_name="comments", db_index=False)
    kind = models.CharField(max_length=20, default=Kind.COMMENT)
    author = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField(blank=True)
    detail = models.JSONField(default=dict)
    created = models.DateTimeField()
    edited = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["issue", "id"], name="entries_in_order"),
            models.Index(fields=["thread", "id"], condition=models.Q(thread__isnull=False), name="entries_of_threads"),
        ]


class Revision(models.Model):
    """A text as it was before somebody changed it. entry None: the issue's own text."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="revisions")
    entry = models.ForeignKey(Entry, null=True, on_delete=models.CASCADE, related_name="revisions")
    body = models.TextField(blank=True)
    editor = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField()


class SavedQuery(models.Model):
    """A search of a list by a name: its owner's, or everybody's who may read the repository when it is shared.

    place: its place among the shared ones, or among the owner's.
    """

    class Kind(models.TextChoices):
        ISSUE = "issue"
        PULL = "pull"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="saved_queries")
    owner = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=1000)
    shared = models.BooleanField(default=False)
    place = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "kind", "owner", "name"], name="one_query_per_name"),
            models.UniqueConstraint(
                fields=["repository", "kind", "name"], condition=models.Q(shared=True), name="shared_query_name"
            ),
        ]
