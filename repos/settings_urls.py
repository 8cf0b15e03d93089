"""URLs of a repository's settings, offers and stars."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.views import stars, transfers
from repos.views.settings import branches, collaborators, danger, general

_REPOSITORY = "<owner:owner>/<repository:name>"
_SETTINGS = f"{_REPOSITORY}/settings"

urlpatterns: list[URLPattern] = [
    path("transfers", transfers.page, name="transfers"),
    path("transfers/<int:transfer_id>/accept", transfers.accept, name="accept-transfer"),
    path("transfers/<int:transfer_id>/decline", transfers.decline, name="decline-transfer"),
    path(f"{_REPOSITORY}/star", stars.star, name="star"),
    path(f"{_REPOSITORY}/unstar", stars.unstar, name="unstar"),
    path(_SETTINGS, general.general, name="settings"),
    path(f"{_SETTINGS}/collaborators", collaborators.page, name="collaborators"),
    path(f"{_SETTINGS}/collaborators/add", collaborators.add, name="add-collaborator"),
    path(f"{_SETTINGS}/collaborators/<owner:username>/change", collaborators.change, name="change-collaborator"),
    path(f"{_SETTINGS}/collaborators/<owner:username>/remove", collaborators.remove, name="remove-collaborator"),
    path(f"{_SETTINGS}/branches", branches.page, name="branch-rules"),
    path(f"{_SETTINGS}/branches/add", branches.add, name="add-branch-rule"),
    path(f"{_SETTINGS}/branches/<int:rule_id>", branches.edit, name="branch-rule"),
    path(f"{_SETTINGS}/branches/<int:rule_id>/change", branches.change, name="change-branch-rule"),
    path(f"{_SETTINGS}/branches/<int:rule_id>/remove", branches.remove, name="remove-branch-rule"),
    path(f"{_SETTINGS}/danger", danger.page, name="danger"),
    path(f"{_SETTINGS}/rename", danger.rename, name="rename"),
    path(f"{_SETTINGS}/visibility", danger.visibility, name="visibility"),
    path(f"{_SETTINGS}/transfer", danger.transfer, name="transfer"),
    path(f"{_SETTINGS}/transfer/cancel", danger.cancel_transfer, name="cancel-transfer"),
    path(f"{_SETTINGS}/delete", danger.delete, name="delete"),
]
