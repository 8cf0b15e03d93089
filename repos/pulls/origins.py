"""The repository that the head of a pull request is a branch of: what "owner:branch" names, and what it still gives.

A fork gives its commits to the base when somebody opens a pull request, and when its branch moves afterwards. From
then on they are the base's: whoever reads the base reads them, also when the fork goes or becomes private.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Sum

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import NotFound, TooLarge, Unprocessable
from repos import access
from repos.access import Access, Area
from repos.git import commands, copying, history
from repos.git.store import size_on_disk
from repos.models import Repository
from repos.place import store_of
from repos.pulls.models import PullRequest

BECOMES_PUBLIC = (
    "{head} is private and {base} is public: the commits of this branch, those pushed to it while the pull request is "
    "open, and the data they name once it is merged, become readable by everybody, and stay so."
)


class NotGiven(Unprocessable):
    """Whoever opens a pull request has to say first that commits become public. warning: what becomes so."""

    def __init__(self, warning: str) -> None:
        super().__init__(warning, details="If you want that, say so: tick the box, or send commits_become_public=true.")
        self.warning = warning


@dataclass(frozen=True)
class Head:
    """A branch, of the base's repository or of another one of its network."""

    repository: Repository
    branch: str


def network_of(repository: Repository) -> int:
    return repository.network or repository.pk


def named(actor: Actor, base: Repository, text: str) -> Head:
    """What "branch", "owner:branch" or "owner:name:branch" stands for, seen from the base.

    Raises NotFound for whom or what this actor may not read, as for what does not exist.
    """
    *whose, branch = text.split(":", 2)
    if not whose:
        return Head(base, branch)
    owner, name = whose[0].lower(), whose[1].lower() if len(whose) > 1 else ""
    if owner == base.owner.name_key and name in {"", base.name_key}:
        return Head(base, branch)
    return Head(_of_network(actor, base, owner, name), branch)


def _of_network(actor: Actor, base: Repository, owner: str, name: str) -> Repository:
    nobody = NotFound(
        f"'{owner[:40]}' has no fork of {base.full_name} that you may read.", details="Fork it, then push your branch."
    )
    if "\0" in owner + name:
        raise nobody
    rows = Repository.objects.visible_to(actor, area=Area.REPO).filter(owner__name_key=owner).exclude(pk=base.pk)
    network = network_of(base)
    rows = rows.filter(network=network) | rows.filter(pk=network)
    found = list(rows.filter(**({"name_key": name} if name else {})).select_related("owner").order_by("pk")[:20])
    if not found:
        raise nobody
    # Of several, rather a direct fork of the base than one of its cousins.
    chosen = min(found, key=lambda row: (row.parent_id != base.pk, row.pk))
    return access.check(actor, chosen, need=Access.READ, area=Area.REPO)


def require_gift(actor: Actor, base: Repository, head: Repository, *, agreed: bool) -> None:
    """Before somebody opens a pull request. Raises NotFound, Denied, or Unprocessable with what becomes public."""
    if head == base:
        return
    # Who may only read a private fork does not give it to others.
    access.check(actor, head, need=Access.WRITE if head.private else Access.READ, area=Area.REPO)
    if (sentence := warning(base, head)) and not agreed:
        raise NotGiven(sentence)


def warning(base: Repository, head: Repository) -> str:
    """What becomes public when a pull request is opened; "" when nothing does."""
    becomes = head.private and not base.private
    return BECOMES_PUBLIC.format(head=head.full_name, base=base.full_name) if becomes else ""


def gives(pull: PullRequest) -> bool:
    """Whether new commits and data of the head may come into the base: asked again each time, since a fork may have
    become private, and whoever opened the request may have lost it."""
    head = pull.head_repository
    if head is None:
        return True
    if head.deleted is not None or (head.private and not pull.repository.private and not pull.agreed):
        return False
    rung = access.access_for(Actor(user=pull.issue.author), head)
    return rung >= (Access.WRITE if head.private else Access.READ)


def follows(pull: PullRequest) -> bool:
    """Whether what is pushed to the head comes into the base by itself: a fork outlives its owner's access to a private
    base, and from then on brings nothing into it that nobody there asked for."""
    if pull.head_repository is None or not pull.repository.private:
        return gives(pull)
    return gives(pull) and access.access_for(Actor(user=pull.issue.author), pull.repository) >= Access.READ


def lender(pull: PullRequest) -> Repository | None:
    """The fork whose data may be named in the base."""
    return pull.head_repository if gives(pull) else None


def data_of(actor: Actor, pull: PullRequest) -> Repository:
    """Where the data lies that the head names: in the fork until it is merged, for those who may read the fork."""
    fork = pull.head_repository
    if fork is None or pull.merged:
        return pull.repository
    readable = Repository.objects.visible_to(actor, area=Area.DATA).filter(pk=fork.pk).exists()
    return fork if readable else pull.repository


def shows_data(actor: Actor, pull: PullRequest) -> bool:
    """Whether what is in the data of both sides may be told to this reader before it is merged."""
    return actor.has_scope(Area.DATA, write=False) and data_of(actor, pull) == pull.source


def _room_of(base: Repository, giver: User) -> int | None:
    """Bytes that this person may still bring into the base by requests that nobody merged, which no pruning takes away
    again; None for any number."""
    if not settings.GIT_MAX_GIFT_BYTES or access.access_for(Actor(user=giver), base) >= Access.WRITE:
        return None
    rows = PullRequest.objects.filter(issue__repository=base, issue__author=giver, merged=None)
    spent = rows.aggregate(sum=Sum("brought"))["sum"] or 0
    return max(1, settings.GIT_MAX_GIFT_BYTES - spent)


# ---- git ---------------------------------------------------------------------------------------
def merge_base(base: Repository, base_id: str, head: Repository, head_id: str) -> str | None:
    """Of commits of two stores. The caller may read both. None for unrelated histories."""
    return history.merge_base(store_of(base), base_id, head_id, extra=copying.both(store_of(head)))


def bring(
    base: Repository,
    head: Repository,
    commit: str,
    *,
    giver: User | None = None,
    beat: Callable[[int], None] = lambda _bytes: None,
) -> int:
    """Store a commit of the head's repository in the base's, with all it reaches; how many bytes came. Safe to run
    twice. giver: whoever's pull request it is for; without write access they give a repository only so much. beat: told
    every second how many bytes have come.

    Raises TooLarge.
    """
    store = store_of(base)
    if commands.succeeds(store, "cat-file", "-e", commit):  # packs come whole, and nothing is ever pruned
        return 0
    most = settings.GIT_MAX_REPOSITORY_BYTES
    room = max(1, most - size_on_disk(store)) if most else 0
    given = _room_of(base, giver) if giver else None
    try:
        least = room if given is None else min(given, room or given)
        return copying.bring(store_of(head), store, [commit], most_bytes=least, beat=beat)
    except copying.TooMuch as error:
        if given is not None and (not room or given < room):
            raise TooLarge(
                f"Pull requests of somebody who may not write {base.full_name} bring it at most "
                f"{settings.GIT_MAX_GIFT_BYTES:,} bytes until they are merged.",
                details="Track large files with DVC, or ask somebody with write access to take the commits.",
            ) from error
        raise TooLarge(
            f"With these commits {base.full_name} would be larger than {most:,} bytes.",
            details="Track large files with DVC, or ask an administrator for a larger limit.",
        ) from error
