"""Walks through history with the git command line: logs, paths, ahead and behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hub.lib.errors import NotFound
from hub.lib.numbers import whole
from repos.git import cli, commands
from repos.git.read import FULL_ID

SUBJECT_COLUMNS = 500
FRONTIER_MAX = 40  # ids carried in a cursor
_FIELDS = ("%H", "%P", "%T", "%an", "%ae", "%at", "%cn", "%ce", "%ct", f"%<({SUBJECT_COLUMNS},trunc)%s")
_BODY = "%b"


@dataclass(frozen=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    tree: str
    author: str
    author_email: str
    authored: datetime
    committer: str
    committer_email: str
    committed: datetime
    subject: str
    body: str = ""

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1


@dataclass(frozen=True)
class LogPage:
    """after: the cursor of the next page, "" at the end."""

    commits: list[Commit]
    after: str


def log(
    store: Path,
    commit: str,
    *,
    path: str = "",
    after: str = "",
    limit: int = 30,
    without: str = "",
    extra: Mapping[str, str] | None = None,
) -> LogPage:
    """A page of the commits reachable from one, newest first; with a path only those that changed it.

    without: a commit whose history is left out. extra: more environment, e.g. copying.both().

    A cursor is the walk's frontier: the ids of commits still to be walked, where the next page starts at the same
    cost as the first. "+N" skips N instead: for a path (its frontier is not among the commits shown) and when the
    frontier is wider than a URL should be. Raises NotFound for a bad cursor.
    """
    tips, skip = _cursor(after) if after else ([commit], 0)
    args = ["log", f"-n{limit}", f"--skip={skip}", "-z", _format(_FIELDS)]
    starts = [*tips, *([f"^{without}"] if without else [])]
    try:
        out = cli.run(store, *args, "--end-of-options", *starts, "--", *([path] if path else []), extra=extra)
    except cli.GitError as error:
        raise NotFound("That page of the history does not exist.") from error
    found = _parse(out)
    return LogPage(found, _next(tips, skip, found, limit, by_path=bool(path)))


def _cursor(after: str) -> tuple[list[str], int]:
    ids, _, skip = after.partition("+")
    tips = ids.split(".")
    skipped = whole(skip or "0")
    if len(tips) > FRONTIER_MAX or not all(FULL_ID.fullmatch(tip) for tip in tips) or skipped is None:
        raise NotFound("That page of the history does not exist.")
    return tips, min(skipped, 10**9)


def _next(tips: list[str], skip: int, found: list[Commit], limit: int, *, by_path: bool) -> str:
    if len(found) < limit:
        return ""
    walked = {commit.sha for commit in found}
    frontier = [tip for tip in tips if tip not in walked]
    frontier += [parent for commit in found for parent in commit.parents if parent not in walked]
    frontier = list(dict.fromkeys(frontier))
    if by_path or skip or len(frontier) > FRONTIER_MAX:
        return f"{'.'.join(tips)}+{skip + limit}"
    return ".".join(frontier)


def commits(store: Path, ids: list[str], *, body: bool = False) -> dict[str, Commit]:
    """Commits by their full ids, in one process. body: with the rest of the message."""
    if not ids:
        return {}
    fields = (*_FIELDS, _BODY) if body else _FIELDS
    out = cli.run(
        store, "log", "--no-walk=unsorted", "--stdin", "-z", _format(fields), stdin="\n".join(ids).encode() + b"\n"
    )
    return {commit.sha: commit for commit in _parse(out, width=len(fields))}


def _format(fields: tuple[str, ...]) -> str:
    return "--format=tformat:" + "%x00".join(fields)


def _parse(out: bytes, *, width: int = len(_FIELDS)) -> list[Commit]:
    values = [value.decode("utf-8", "replace") for value in out.split(b"\0")]
    return [_commit(values[i : i + width]) for i in range(0, len(values) - width + 1, width)]


def _commit(v: list[str]) -> Commit:
    return Commit(
        sha=v[0],
        parents=tuple(v[1].split()),
        tree=v[2],
        author=v[3],
        author_email=v[4],
        authored=moment(v[5]),
        committer=v[6],
        committer_email=v[7],
        committed=moment(v[8]),
        subject=v[9].rstrip(),
        body=v[10].strip() if len(v) > 10 else "",
    )


def moment(seconds: str) -> datetime:
    """A commit may claim any time; what no calendar holds becomes 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def count(store: Path, commit: str) -> int:
    """How many commits are reachable. Fast with the commit-graph that maintenance writes."""
    return int(cli.run(store, "rev-list", "--count", "--end-of-options", commit))


def ahead_behind(store: Path, base: str, head: str, *, extra: Mapping[str, str] | None = None) -> tuple[int, int]:
    """(commits only head has, commits only base has). extra: more environment, e.g. copying.both()."""
    out = cli.run(store, "rev-list", "--left-right", "--count", "--end-of-options", f"{base}...{head}", extra=extra)
    behind, ahead = out.split()
    return int(ahead), int(behind)


def contains(store: Path, commit: str, older: str, *, extra: Mapping[str, str] | None = None) -> bool:
    """Whether one commit is another or behind it. Raises GitError where one of them is not here."""
    return commands.succeeds(store, "merge-base", "--is-ancestor", older, commit, extra=extra)


def merge_base(store: Path, base: str, head: str, *, extra: Mapping[str, str] | None = None) -> str | None:
    """The best common ancestor, None for unrelated histories. extra: more environment, e.g. copying.both()."""
    try:
        return cli.run(store, "merge-base", "--end-of-options", base, head, extra=extra).decode().split("\n")[0]
    except cli.GitError as error:
        if error.status == 1:
            return None
        raise
