"""How pull requests of a repository may be merged: the methods it allows, its usual one first."""

from __future__ import annotations

from collections.abc import Collection

from hub.accounts.actor import Actor
from hub.lib.errors import Unprocessable
from repos import repositories
from repos.models import Repository
from repos.pulls.building import METHODS

LABELS = {"merge": "Merge commit", "squash": "Squash into one commit", "rebase": "Rebase, without a merge commit"}


def allowed(repository: Repository) -> list[str]:
    """The usual one first."""
    return [word for word in repository.merge_methods.split() if word in METHODS]


def require(repository: Repository, method: str) -> None:
    """Raises Unprocessable."""
    if method not in METHODS:
        raise Unprocessable(f"Merge by one of {', '.join(METHODS)}.")
    if method not in (ways := allowed(repository)):
        raise Unprocessable(
            f"{repository.full_name} does not allow to merge by {method}.", details=f"Merge by {' or '.join(ways)}."
        )


def change(
    actor: Actor,
    repository: Repository,
    *,
    methods: Collection[str],
    usual: str = "",
    delete_merged: bool | None = None,
) -> Repository:
    """For administrators, whom the caller has let in. Raises Unprocessable when no method is left."""
    chosen = [method for method in METHODS if method in methods]
    if not chosen:
        raise Unprocessable("No way to merge is left.", details="Allow at least one method.")
    if usual and usual not in chosen:
        raise Unprocessable(f"The usual method, {usual}, is not allowed.", details="Allow it, or choose another.")
    first = usual or next((method for method in allowed(repository) if method in chosen), chosen[0])
    ordered = " ".join([first, *(method for method in chosen if method != first)])
    return repositories.update(actor, repository, merge_methods=ordered, delete_merged_branches=delete_merged)
