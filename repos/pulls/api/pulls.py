"""/pulls, /pulls/{number}, their commits and files, and the merge."""

from __future__ import annotations

from typing import Any, TypedDict

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Area
from hub.accounts.api import UserObject
from hub.jobs.once import once
from hub.lib.api import Flag, paged, valid
from hub.lib.api_schema import NOTHING, PAGES, created
from hub.lib.conditional import ConditionalView, require_match
from hub.lib.errors import Busy, NotFound, WrongMethod
from repos import access, diffs, ways
from repos.api import gate
from repos.api.shapes import CommitObject, commit_object
from repos.git import diff, history
from repos.git.read import shown
from repos.issues import listing
from repos.issues.api import asking
from repos.issues.api.issues import Body, ChangedIssue, change
from repos.issues.api.shapes import IssueFields, issue_fields, person, url_of
from repos.issues.models import Issue
from repos.models import Repository
from repos.place import store_of
from repos.pulls import branches, drafts, merging, opening, origins, testmerges, verdicts
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest

COMMITS_LISTED = 250


class NamedRepository(TypedDict):
    full_name: str


class PullEnd(TypedDict):
    """repo: null for a fork that is gone, or that not everybody may read."""

    ref: str
    label: str
    sha: str
    repo: NamedRepository | None


class PullObject(IssueFields):
    issue_url: str
    commits_url: str
    head: PullEnd
    base: PullEnd
    draft: bool
    merged: bool
    merged_at: str | None
    merged_by: UserObject | None
    merge_commit_sha: str | None


class OnePullObject(PullObject):
    """mergeable: null once it is closed, and while a worker looks."""

    mergeable: bool | None


class PullFileObject(TypedDict):
    """additions, deletions, changes: null where uncounted says why. A binary file has no lines: 0."""

    filename: str
    previous_filename: str | None
    status: str
    additions: int | None
    deletions: int | None
    changes: int | None
    uncounted: str | None


class MergedObject(TypedDict):
    sha: str
    merged: bool
    message: str


class NewPull(serializers.Serializer):
    """base: a branch of this repository; head: another, or "owner:branch" of a fork. commits_become_public: must be
    true where head's repository is private and this one is public."""

    title = serializers.CharField(max_length=1000)
    body = Body(default="")
    head = serializers.CharField(max_length=400)
    base = serializers.CharField(max_length=250)
    draft = Flag(default=False)
    commits_become_public = Flag(default=False)


class ChangedPull(ChangedIssue):
    """What is sent is changed. base: the branch to merge into. draft: false makes it ready for review."""

    base = serializers.CharField(max_length=250, required=False)
    draft = Flag(required=False)


class MergeOrder(serializers.Serializer):
    """merge_method: the repository's usual one, where nothing is said. Its setting delete_branch_on_merge counts.
    sha: the head you have looked at; another one is refused with 409. waive_rules: without what the rules of the
    base ask, for administrators whom they do not bind."""

    merge_method = serializers.ChoiceField(choices=ways.METHODS, required=False)
    commit_title = serializers.CharField(max_length=500, allow_blank=True, default="")
    commit_message = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    sha = serializers.RegexField("^[0-9a-f]{40}$", allow_blank=True, default="")
    waive_rules = Flag(default=False)


def readable(request: Request, owner: str, name: str) -> Repository:
    repository = asking.readable(request, owner, name)
    access.require_scope(gate.actor_of(request), Area.REPO, write=False)
    return repository


class Pulls(ConditionalView):
    """Pull requests: state (open, closed, all), base, head, and what the list of issues takes. direction: desc where
    they are ordered by created, else asc, as GitHub has it.
    Or q: a search as the page takes it, e.g. `is:open review-requested:@me`."""

    inputs = {"post": NewPull}
    answers = {"get": list[PullObject], "post": created(PullObject)}
    queries = {"get": {**asking.LISTED, "base": str, "head": str}}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        query = asking.query_of(request, repository, pulls=True)
        rows = listing.matching(repository, gate.actor_of(request), query, kind="pull").filter(pull__isnull=False)
        for field in ("base", "head"):
            if wanted := request.query_params.get(field):
                whose, _, branch = wanted.rpartition(":")
                rows = rows.filter(**{f"pull__{field}": branch})
                if field == "head" and whose and whose.lower() != repository.owner.name_key:
                    rows = rows.filter(pull__head_repository__owner__name_key=whose.lower())
        rows = listing.for_lists(listing.ordered(rows, query)).select_related(
            "author", "milestone", "pull", "pull__merged_by", "pull__head_repository__owner"
        )
        return paged(request, rows, lambda page: [_of_issue(repository, issue) for issue in page])

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = asking.taking_part(request, owner, name)
        access.require_scope(gate.actor_of(request), Area.REPO, write=False)
        actor, fields = gate.actor_of(request), valid(NewPull, request)
        fields["agreed"] = fields.pop("commits_become_public")
        return once(request, lambda: Response(pull_object(opening.open_pull(actor, repository, **fields)), status=201))


class OnePull(ConditionalView):
    """With mergeable: whether it can be merged as it is; null once it is closed, and while a worker looks."""

    inputs = {"patch": ChangedPull}
    answers = dict.fromkeys(("get", "patch"), OnePullObject)

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        found: OnePullObject = {**pull_object(pull), "mergeable": _mergeable(pull, gate.actor_of(request).user_id)}
        return Response(found)

    def patch(self, request: Request, owner: str, name: str, number: int) -> Response:
        repository = asking.taking_part(request, owner, name)
        access.require_scope(gate.actor_of(request), Area.REPO, write=False)
        pull = opening.pull_of(repository, number)
        fields, actor = valid(ChangedPull, request), gate.actor_of(request)
        reopens = fields.get("state") == "open" and not pull.issue.is_open
        with transaction.atomic():  # all of it or nothing
            Issue.objects.select_for_update().get(pk=pull.pk)
            require_match(request, lambda: self.get(request, owner, name, number))
            if reopens:
                del fields["state"]
                opening.reopen(actor, pull)
                pull = opening.pull_of(pull.repository, number)
            if "base" in fields:
                opening.change_base(actor, pull, fields["base"])
            if "draft" in fields:
                (drafts.mark_draft if fields["draft"] else drafts.mark_ready)(actor, pull)
            change(actor, pull.issue, fields)
        return self.get(request, owner, name, number)


class PullCommits(ConditionalView):
    """The commits that the base lacks, oldest first; at most 250."""

    answers = {"get": list[CommitObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        base, head = branches.ends(pull)
        store = store_of(pull.repository)
        found = history.log(store, head, without=base, limit=COMMITS_LISTED).commits
        bodies = history.commits(store, [commit.sha for commit in found], body=True)
        rows = [bodies[commit.sha] for commit in reversed(found)]
        return paged(request, rows, lambda page: [commit_object(pull.repository, commit) for commit in page])


class PullFiles(ConditionalView):
    """What it changes: each file with the counts of its lines, 10,000 files at most."""

    answers = {"get": list[PullFileObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        base, head = branches.ends(pull)
        parted = branches.parted(pull.repository, base, head)
        found = diffs.listed(pull.repository, parted, head, ignore_space=False)
        store = store_of(pull.repository)
        return paged(request, found, lambda page: [_file(file) for file in diff.with_big(store, page)])


class Merge(APIView):
    """GET: 204 when it is merged, else 404. PUT merges it."""

    inputs = {"put": MergeOrder}
    answers = {"get": NOTHING, "put": MergedObject}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        if not opening.pull_of(readable(request, owner, name), number).merged:
            raise NotFound(f"#{number} is not merged.")
        return Response(status=204)

    def put(self, request: Request, owner: str, name: str, number: int) -> Response:
        repository = asking.writable(request, owner, name)
        access.require_scope(gate.actor_of(request), Area.REPO, write=True)
        pull, fields = opening.pull_of(repository, number), valid(MergeOrder, request)
        if not pull.issue.is_open:
            raise WrongMethod(f"#{number} is {pull.issue.state} already.")
        if pull.draft:
            raise WrongMethod(f"#{number} is a draft.", details="Mark it as ready for review first.")
        message = f"{fields['commit_title']}\n\n{fields['commit_message']}".strip()
        order = Order(
            method=fields.get("merge_method", ways.allowed(repository)[0]),
            message=message,
            expected=fields["sha"],
            delete_branch=repository.delete_merged_branches,
            via="api",
            waive=fields["waive_rules"],
        )
        commit = merging.merge(gate.actor_of(request), pull, order)
        merged: MergedObject = {"sha": commit, "merged": True, "message": "Pull request merged."}
        return Response(merged)


def pull_object(pull: PullRequest) -> PullObject:
    api = url_of(pull.repository)
    return {
        **issue_fields(pull.issue),
        "url": f"{api}/pulls/{pull.number}",
        "issue_url": f"{api}/issues/{pull.number}",
        "commits_url": f"{api}/pulls/{pull.number}/commits",
        "head": _end(pull.source, pull.head, pull.head_id, shows=_shows(pull)),
        "base": _end(pull.repository, pull.base, pull.base_id, shows=True),
        "draft": pull.draft,
        "merged": pull.merged is not None,
        "merged_at": pull.merged.isoformat() if pull.merged else None,
        "merged_by": person(pull.merged_by),
        "merge_commit_sha": pull.merge_commit if pull.merged else None,
    }


def _shows(pull: PullRequest) -> bool:
    return pull.head_repository is None or not (pull.source.private or pull.source.deleted)


def _end(repository: Repository, branch: str, sha: str, *, shows: bool) -> PullEnd:
    repo: NamedRepository | None = {"full_name": repository.full_name} if shows else None
    return {"ref": shown(branch), "label": f"{repository.owner.name}:{shown(branch)}", "sha": sha, "repo": repo}


def _of_issue(repository: Repository, issue: Any) -> PullObject:
    issue.repository = repository
    pull: PullRequest = issue.pull
    pull.issue = issue
    return pull_object(pull)


def _mergeable(pull: PullRequest, user_id: int | None) -> bool | None:
    tips = branches.tips_of(pull)
    if not pull.issue.is_open or tips.base is None or tips.head is None:
        return None
    start = branches.merge_base(pull.repository, tips.base, tips.head)
    if start in {None, tips.head}:
        return False
    try:
        found = verdicts.verdict(pull.repository, tips.base, tips.head, user_id=user_id, lender=origins.lender(pull))
    except Busy:
        return None  # not known yet; the rest of the pull request is no less true
    if found and found.clean:
        testmerges.want(pull)
    return found.clean if found else None


def _file(file: diff.FileDiff) -> PullFileObject:
    return {
        "filename": shown(file.name),
        "previous_filename": shown(file.old_name) if file.status == "renamed" else None,
        "status": file.status,
        "additions": None if file.big else file.added,
        "deletions": None if file.big else file.removed,
        "changes": None if file.big else file.lines,
        "uncounted": "It is larger than 8 MB; its lines are not compared." if file.big else None,
    }
