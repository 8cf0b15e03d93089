"""The files a new repository may start with: README, .gitignore, licence and a DVC remote without any secret."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hub.lib.errors import Unprocessable

_HERE = Path(__file__).parent
GITIGNORES = {path.stem: path for path in sorted((_HERE / "gitignores").glob("*.txt"))}
LICENCES = {path.stem: path for path in sorted((_HERE / "licences").glob("*.txt"))}


def readme(name: str, description: str) -> bytes:
    return f"# {name}\n\n{description}\n".encode() if description else f"# {name}\n".encode()


def gitignore(kind: str) -> bytes:
    """The .gitignore called kind. Raises Unprocessable with the choices."""
    return _chosen(kind, GITIGNORES, "gitignore").read_bytes()


def licence(kind: str, holder: str) -> bytes:
    """A licence's text (SPDX name) with the year and holder filled in. Raises Unprocessable with the choices."""
    text = _chosen(kind, LICENCES, "licence").read_text()
    return text.replace("[year]", str(date.today().year)).replace("[holder]", holder).encode()


def dvc_files(remote_url: str) -> dict[str, bytes]:
    """What `dvc init` and `dvc remote add -d origin URL` write.

    No user, password or auth: those go to .dvc/config.local, and with `auth` alone DVC refuses to pull public data.
    """
    config = f"[core]\n    remote = origin\n['remote \"origin\"']\n    url = {remote_url}\n"
    return {
        ".dvc/config": config.encode(),
        ".dvc/.gitignore": b"/config.local\n/tmp\n/cache\n",
        ".dvcignore": b"# Patterns of files dvc should ignore, as in .gitignore.\n",
    }


def _chosen(kind: str, choices: dict[str, Path], what: str) -> Path:
    if found := choices.get(kind):
        return found
    raise Unprocessable(f"There is no {what} called {kind[:80]!r}.", details=f"Choose one of {', '.join(choices)}.")
