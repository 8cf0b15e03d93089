"""GitHub's JSON objects of issues, with what their clients read."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict, cast

from django.conf import settings

from hub.accounts.actor import Actor
from hub.accounts.api import UserObject, user_object
from hub.accounts.models import User
from repos.issues import told
from repos.issues.models import Entry, Issue, Label, Milestone
from repos.models import Repository


class LabelObject(TypedDict):
    id: int
    name: str
    color: str
    description: str


class MilestoneObject(TypedDict):
    """open_issues, closed_issues: in the list of milestones."""

    id: int
    number: int
    url: str
    title: str
    description: str
    state: Literal["open", "closed"]
    due_on: str | None
    closed_at: str | None
    open_issues: NotRequired[int]
    closed_issues: NotRequired[int]


class PullLinks(TypedDict):
    url: str
    html_url: str


class IssueFields(TypedDict):
    id: int
    number: int
    url: str
    html_url: str
    comments_url: str
    title: str
    body: str
    user: UserObject | None
    state: Literal["open", "closed"]
    locked: bool
    labels: list[LabelObject]
    assignees: list[UserObject]
    milestone: MilestoneObject | None
    comments: int
    created_at: str
    updated_at: str
    closed_at: str | None


class IssueObject(IssueFields):
    """An issue, or a pull request as one."""

    pull_request: NotRequired[PullLinks]


class IssueCommentObject(TypedDict):
    id: int
    url: str
    html_url: str
    issue_url: str
    user: UserObject | None
    body: str
    created_at: str
    updated_at: str


def issue_object(issue: Issue) -> IssueObject:
    """With lists: select author and milestone, prefetch labels and assignees."""
    fields = issue_fields(issue)
    if not issue.is_pull:
        return cast("IssueObject", fields)
    pull = f"{url_of(issue.repository)}/pulls/{issue.number}"
    return {**fields, "pull_request": {"url": pull, "html_url": fields["html_url"]}}


def issue_fields(issue: Issue) -> IssueFields:
    api, page = url_of(issue.repository), f"{settings.COVEY_URL}{issue.get_absolute_url()}"
    return {
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


def comment_object(entry: Entry, issue: Issue, actor: Actor) -> IssueCommentObject:
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


def label_object(label: Label) -> LabelObject:
    return {"id": label.pk, "name": label.name, "color": label.colour, "description": label.description}


def milestone_object(milestone: Milestone, repository: Repository) -> MilestoneObject:
    found: MilestoneObject = {
        "id": milestone.pk,
        "number": milestone.number,
        "url": f"{url_of(repository)}/milestones/{milestone.number}",
        "title": milestone.title,
        "description": milestone.description,
        "state": "closed" if milestone.closed else "open",
        "due_on": milestone.due.isoformat() if milestone.due else None,
        "closed_at": milestone.closed.isoformat() if milestone.closed else None,
    }
    if hasattr(milestone, "open_count") and hasattr(milestone, "closed_count"):  # of milestones.listed()
        found |= {"open_issues": milestone.open_count, "closed_issues": milestone.closed_count}
    return found


def person(user: User | None) -> UserObject | None:
    return user_object(user) if user else None


def url_of(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/api/v1/repos/{repository.full_name}"
