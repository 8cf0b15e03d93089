"""GitHub's JSON objects of issues, with what their clients read."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.accounts.actor import Actor
from hub.accounts.api import user_object
from hub.accounts.models import User
from repos.issues import told
from repos.issues.models import Entry, Issue, Label, Milestone
from repos.models import Repository


def issue_object(issue: Issue) -> dict[str, Any]:
    """With lists: select author and milestone, prefetch labels and assignees."""
    api, page = url_of(issue.repository), f"{settings.COVEY_URL}{issue.get_absolute_url()}"
    found = {
        "id": issue.pk,
        "number": issue.number,
        "url": f"{api}/issues/{issue.number}",
        "html_url": page,
        "comments_url": f"{api}/issues/{issue.number}/comments",
        "title": issue.title,
        "body": issue.body,
        "user": person(issue.author),
        "state": "open" if issue.is_open else "closed",
        "locked": issue.locked,
        "labels": [label_object(label) for label in issue.labels.all()],
        "assignees": [user_object(user) for user in issue.assignees.all()],
        "milestone": milestone_object(issue.milestone, issue.repository) if issue.milestone else None,
        "comments": issue.comments_count,
        "created_at": issue.created.isoformat(),
        "updated_at": issue.updated.isoformat(),
        "closed_at": issue.closed.isoformat() if issue.closed else None,
    }
    if issue.is_pull:
        found["pull_request"] = {"url": f"{api}/pulls/{issue.number}", "html_url": page}
    return found


def comment_object(entry: Entry, issue: Issue, actor: Actor) -> dict[str, Any]:
    """Of what the hub itself tells: what this actor may read."""
    entry.issue = issue
    return {
        "id": entry.pk,
        "url": f"{url_of(issue.repository)}/issues/comments/{entry.pk}",
        "html_url": f"{settings.COVEY_URL}{issue.get_absolute_url()}#comment-{entry.pk}",
        "issue_url": f"{url_of(issue.repository)}/issues/{issue.number}",
        "user": person(entry.author),
        "body": told.KINDS[entry.kind].text(entry, actor) if entry.kind in told.KINDS else entry.body,
        "created_at": entry.created.isoformat(),
        "updated_at": (entry.edited or entry.created).isoformat(),
    }


def label_object(label: Label) -> dict[str, Any]:
    return {"id": label.pk, "name": label.name, "color": label.colour, "description": label.description}


def milestone_object(milestone: Milestone, repository: Repository) -> dict[str, Any]:
    """open_issues, closed_issues: of milestones.listed() only."""
    counts = {
        "open_issues": getattr(milestone, "open_count", None),
        "closed_issues": getattr(milestone, "closed_count", None),
    }
    return {
        "id": milestone.pk,
        "number": milestone.number,
        "url": f"{url_of(repository)}/milestones/{milestone.number}",
        "title": milestone.title,
        "description": milestone.description,
        "state": "closed" if milestone.closed else "open",
        "due_on": milestone.due.isoformat() if milestone.due else None,
        "closed_at": milestone.closed.isoformat() if milestone.closed else None,
        **{name: count for name, count in counts.items() if count is not None},
    }


def person(user: User | None) -> dict[str, Any] | None:
    return user_object(user) if user else None


def url_of(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/api/v1/repos/{repository.full_name}"
