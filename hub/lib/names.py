"""Names of owners and repositories: one allow-list, never a path."""

from __future__ import annotations

import re

from hub.lib.errors import Unprocessable

OWNER_PATTERN = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?"
REPOSITORY_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
_OWNER = re.compile(OWNER_PATTERN)
_REPOSITORY = re.compile(REPOSITORY_PATTERN)
SUFFIXES = (".git", ".dvc", ".s3", ".mlflow", ".lock")


def check_repository_name(name: str) -> str:
    """The name itself. Raises Unprocessable with what is allowed."""
    if not _REPOSITORY.fullmatch(name) or ".." in name or name.endswith("."):
        raise Unprocessable(
            "That repository name cannot be used.",
            details="Use up to 100 letters, digits, '-', '_' and '.', starting with a letter, digit or '_'.",
        )
    if name.lower().endswith(SUFFIXES) or name.lower() == "dvc":
        raise Unprocessable(f"A repository name may not be 'dvc' or end in {', '.join(SUFFIXES)}.")
    return name


def check_owner_name(name: str, *, reserved: frozenset[str]) -> str:
    """The name itself. reserved: lower-case first segments of the hub's own URLs. Raises Unprocessable."""
    if not _OWNER.fullmatch(name):
        raise Unprocessable(
            "That user name cannot be used.",
            details="Use up to 40 letters, digits, '-' and '_', starting and ending with a letter or digit.",
        )
    if name.lower() in reserved:
        raise Unprocessable(f"The name '{name}' is reserved for a page of this hub.")
    return name
