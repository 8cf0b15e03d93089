"""How pull requests of a repository may be merged: the methods it allows, its usual one first."""

from __future__ import annotations

from collections.abc import Mapping

from hub.lib.errors import Unprocessable
from repos.models import Repository

METHODS = ("merge", "squash", "rebase")
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


def changed(repository: Repository, allow: Mapping[str, bool], usual: str = "") -> str:
    """For Repository.merge_methods: allow says of some methods whether they are allowed from now on.

    Raises Unprocessable when no method is left, or the usual one is not allowed.
    """
    before = allowed(repository)
    chosen = [method for method in METHODS if allow.get(method, method in before)]
    if not chosen:
        raise Unprocessable("No way to merge is left.", details="Allow at least one.")
    if usual and usual not in chosen:
        raise Unprocessable(f"The usual way, {usual}, is not allowed.", details="Allow it, or choose another.")
    first = usual or next((method for method in before if method in chosen), chosen[0])
    return " ".join([first, *(method for method in chosen if method != first)])
