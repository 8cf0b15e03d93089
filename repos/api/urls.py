"""Paths below /api/v1 that belong to repositories."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.api import archives, contents, people, refs, repositories, rules, statuses, tokens, topics

_REPOSITORY = "repos/<owner:owner>/<repository:name>"

urlpatterns: list[URLPattern] = [
    path("user/repos", repositories.OwnRepositories.as_view()),
    path("user/starred", people.Starred.as_view()),
    path("user/starred/<owner:owner>/<repository:name>", people.OneStar.as_view()),
    path("user/tokens", tokens.OwnTokens.as_view()),
    path("user/tokens/<int:token_id>", tokens.OneToken.as_view()),
    path("user/transfers", people.OffersToMe.as_view()),
    path("user/transfers/<int:transfer_id>/accept", people.AcceptedOffer.as_view()),
    path("user/transfers/<int:transfer_id>/decline", people.DeclinedOffer.as_view()),
    path("users/<owner:username>/repos", repositories.RepositoriesOf.as_view()),
    path("repos/search", repositories.RepositorySearch.as_view()),
    path(_REPOSITORY, repositories.OneRepository.as_view()),
    path(f"{_REPOSITORY}/branches", refs.Branches.as_view()),
    path(f"{_REPOSITORY}/branches/<path:ref>", refs.OneBranch.as_view()),
    path(f"{_REPOSITORY}/branch-rules", rules.BranchRules.as_view()),
    path(f"{_REPOSITORY}/branch-rules/<int:rule_id>", rules.OneBranchRule.as_view()),
    path(f"{_REPOSITORY}/tags", refs.Tags.as_view()),
    path(f"{_REPOSITORY}/tags/<path:ref>", refs.OneTag.as_view()),
    path(f"{_REPOSITORY}/commits", refs.Commits.as_view()),
    path(f"{_REPOSITORY}/commits/<path:ref>/statuses", statuses.CommitStatuses.as_view()),
    path(f"{_REPOSITORY}/commits/<path:ref>/status", statuses.CombinedStatus.as_view()),
    path(f"{_REPOSITORY}/statuses/<path:ref>", statuses.Statuses.as_view()),
    path(f"{_REPOSITORY}/commits/<path:ref>", refs.OneCommit.as_view()),
    path(f"{_REPOSITORY}/content/<rest:rest>", contents.Contents.as_view()),
    path(f"{_REPOSITORY}/contents/<rest:rest>", contents.Contents.as_view()),
    path(f"{_REPOSITORY}/archive/<path:rest>", archives.Archive.as_view()),
    path(f"{_REPOSITORY}/collaborators", people.Collaborators.as_view()),
    path(f"{_REPOSITORY}/collaborators/<owner:username>", people.OneCollaborator.as_view()),
    path(f"{_REPOSITORY}/stars", people.Stargazers.as_view()),
    path(f"{_REPOSITORY}/topics", topics.Topics.as_view()),
    path(f"{_REPOSITORY}/transfer", people.TransferOffer.as_view()),
]
