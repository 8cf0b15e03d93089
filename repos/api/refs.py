"""Branches, tags and commits. A branch may hold slashes, unescaped in the path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.lib.api import LIMIT_MAXIMUM, link, paged, valid, whole_number
from hub.lib.api_schema import PAGES, created
from hub.lib.errors import Conflict, NotFound
from repos import browsing, filling, policy, publishing, rules
from repos.api import gate
from repos.api.shapes import CommitObject, commit_object
from repos.git import history, read
from repos.git.read import Rev
from repos.git.refs import RefRow
from repos.git.store import ZERO, RefChange
from repos.git.store import refs as store_refs
from repos.models import Access, Repository
from repos.place import resolve, store_of


class RefObject(TypedDict):
    """A branch or tag and the commit it stands for."""

    name: str
    commit: CommitObject


class BranchObject(RefObject):
    """protected: a rule is for it."""

    protected: bool


class CommitFound(TypedDict):
    commit: CommitObject


class NewRef(serializers.Serializer):
    """name: of the branch or tag to make. ref: the branch, tag or commit it begins at; "" is the default branch."""

    name = serializers.CharField(max_length=250)
    ref = serializers.CharField(max_length=500, default="", allow_blank=True)


class Branches(APIView):
    """Branches, the newest commit first."""

    inputs = {"post": NewRef}
    answers = {"get": list[BranchObject], "post": created(RefObject)}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        return paged(request, browsing.branches(repository), _branches(repository))

    def post(self, request: Request, owner: str, name: str) -> Response:
        return _make(request, gate.repository_for(request, owner, name, need=Access.WRITE), "refs/heads/")


class Tags(APIView):
    """Tags, the newest first."""

    inputs = {"post": NewRef}
    answers = {"get": list[RefObject], "post": created(RefObject)}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        return paged(request, browsing.tags(repository), lambda page: _with_commits(repository, page))

    def post(self, request: Request, owner: str, name: str) -> Response:
        return _make(request, gate.repository_for(request, owner, name, need=Access.WRITE), "refs/tags/")


class OneRef(APIView):
    """One branch or tag; deleting it goes through the same policy as a push."""

    prefix = "refs/heads/"
    answers = {"get": RefObject}

    def get(self, request: Request, owner: str, name: str, ref: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        found = resolved(repository, f"{self.prefix}{ref}", shown=ref)
        return Response(_row(repository, ref, found.commit, commits_of(repository, [found.commit])))

    def delete(self, request: Request, owner: str, name: str, ref: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.WRITE)
        full = f"{self.prefix}{ref}"
        found = resolved(repository, full, shown=ref)
        old = store_refs(store_of(repository), full).get(full, found.commit)  # deleted just now: publish says so
        publishing.publish(repository, gate.actor_of(request), [RefChange(full, old, ZERO)], via="api")
        return Response(status=204)


class OneBranch(OneRef):
    pass


class OneTag(OneRef):
    prefix = "refs/tags/"


class Commits(APIView):
    """Commits reachable from sha (any ref; by default the default branch), with path only those that changed it.

    The Link header leads on: `after` is where the next page begins.
    """

    answers = {"get": list[CommitObject]}
    queries = {"get": {"sha": str, "path": str, "after": str, "limit": int}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        query = request.query_params
        limit = whole_number(request, "limit", default=30, maximum=LIMIT_MAXIMUM)
        start = query.get("sha") or repository.default_branch
        if repository.empty and not query.get("sha"):
            filling.require_filled(repository)
            return Response([])
        found = history.log(
            store_of(repository),
            resolved(repository, start).commit,
            path=query.get("path", "").strip("/"),
            after=query.get("after", ""),
            limit=limit,
        )
        whole = commits_of(repository, [commit.sha for commit in found.commits])  # with all of their messages
        response = Response([commit_object(repository, whole[commit.sha]) for commit in found.commits])
        if found.after:
            response["Link"] = link(request, "next", after=found.after, limit=limit)
        return response


class OneCommit(APIView):
    """The commit any ref stands for, wrapped: {"commit": {...}}. DagsHub's client asks this for names like `feed1`."""

    answers = {"get": CommitFound}

    def get(self, request: Request, owner: str, name: str, ref: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        commit = resolved(repository, ref).commit
        return Response({"commit": commit_object(repository, commits_of(repository, [commit])[commit])})


def resolved(repository: Repository, ref: str, *, shown: str = "") -> Rev:
    """The rev of exactly this name. Raises NotFound."""
    try:
        return resolve(repository, ref)
    except NotFound as error:
        raise NotFound(
            f"There is no {(shown or ref)[:100]!r} in {repository.full_name}.", details=error.details
        ) from error


def commits_of(repository: Repository, ids: list[str]) -> dict[str, history.Commit]:
    return history.commits(store_of(repository), ids, body=True)


def _with_commits(repository: Repository, rows: list[RefRow]) -> list[RefObject]:
    """One git process for the commits of a whole page."""
    if not rows:
        return []
    found = commits_of(repository, [row.commit for row in rows])
    return [_row(repository, read.shown(row.name), row.commit, found) for row in rows]


def _branches(repository: Repository) -> Callable[[list[RefRow]], list[BranchObject]]:
    def shapes(page: list[RefRow]) -> list[BranchObject]:
        found, rows = list(rules.listed(repository)), _with_commits(repository, page)
        protected = (rules.together(found, ref.name) is not None for ref in page)
        return [{**row, "protected": one} for row, one in zip(rows, protected, strict=True)]

    return shapes


def _row(repository: Repository, name: str, commit: str, found: dict[str, history.Commit]) -> RefObject:
    return {"name": name, "commit": commit_object(repository, found[commit])}


def _make(request: Request, repository: Repository, prefix: str) -> Response:
    fields = valid(NewRef, request)
    commit = resolved(repository, fields["ref"] or repository.default_branch).commit
    change = RefChange(f"{prefix}{fields['name']}", ZERO, commit)
    policy.check_name(change)
    try:
        publishing.publish(repository, gate.actor_of(request), [change], via="api")
    except publishing.NameTaken:
        raise
    except Conflict as error:
        raise Conflict(f"{fields['name']} exists already.", details="Choose another name.") from error
    return Response(_row(repository, fields["name"], commit, commits_of(repository, [commit])), status=201)
