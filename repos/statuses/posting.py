"""Report a status: checked, added, announced."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.db import transaction

from hub.accounts.actor import Actor, Area
from hub.jobs import outbox
from hub.lib.errors import NotFound, Unprocessable
from repos import access
from repos.git import read
from repos.models import Access, Repository
from repos.place import resolve
from repos.statuses import signals
from repos.statuses.models import Status

MOST = 1_000  # of one commit
DEFAULT_CONTEXT = "default"
CONTEXT_CHARACTERS, DESCRIPTION_CHARACTERS, URL_CHARACTERS = 255, 500, 2000
_URL = re.compile(r"[!#-;=?-\[\]_a-z~\x80-\U0010ffff]+")  # no spaces, quotes, angle brackets, control characters


def post(
    actor: Actor,
    repository: Repository,
    sha: str,
    *,
    state: str,
    context: str = DEFAULT_CONTEXT,
    description: str = "",
    target_url: str = "",
) -> Status:
    """sha: the full id of a commit that is here. Raises Denied, NotFound or Unprocessable."""
    access.check(actor, repository, need=Access.WRITE, area=Area.REPO)
    fields = {
        "state": _state(state),
        "context": _context(context),
        "description": _description(description),
        "target_url": checked_url(target_url),
    }
    _require_commit(repository, sha)
    with transaction.atomic():
        Repository.objects.select_for_update(of=("self",)).get(pk=repository.pk)  # so that two count one after another
        if Status.objects.filter(repository=repository, sha=sha).count() >= MOST:
            raise Unprocessable(
                f"This commit has {MOST:,} statuses; it takes no more.", details="Report on a new commit."
            )
        status = Status.objects.create(repository=repository, sha=sha, creator=actor.user, **fields)
        outbox.announce(signals.STATUS_POSTED, {"repository_id": repository.pk, "sha": sha})
    return status


def _require_commit(repository: Repository, sha: str) -> None:
    if not read.FULL_ID.fullmatch(sha):
        raise Unprocessable(
            "A status is of a commit's full id.", details="Send the 40 letters of `git rev-parse HEAD`."
        )
    try:
        found = resolve(repository, sha)
    except NotFound:
        found = None
    if found is None or found.commit != sha:
        raise Unprocessable(f"There is no commit {sha} here.", details="Push it first, then report its status.")


def _state(state: str) -> str:
    if state not in Status.State.values:
        raise Unprocessable(f"A status's state is one of {', '.join(Status.State.values)}.")
    return state


def _context(context: str) -> str:
    context = context.strip() or DEFAULT_CONTEXT
    if len(context) > CONTEXT_CHARACTERS or not context.isprintable():
        raise Unprocessable(f"A status's context has at most {CONTEXT_CHARACTERS} characters, all of them printable.")
    return context


def _description(text: str) -> str:
    """One line; what is too long is cut, since no build should fail for it."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= DESCRIPTION_CHARACTERS else text[: DESCRIPTION_CHARACTERS - 1] + "…"


def checked_url(url: str) -> str:
    """An address of http or https, also inside the house (http://jenkins:8080/…), or nothing. Raises Unprocessable."""
    url = url.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or len(url) > URL_CHARACTERS or not _URL.fullmatch(url) or not url.isprintable():
        raise Unprocessable(
            "The target_url is no http or https address.", details=f"Send at most {URL_CHARACTERS} characters, or none."
        )
    return url
