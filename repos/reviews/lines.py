"""Lines of a file as a place that something is said about: checked, quoted, and shown where they are by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from hub.accounts.actor import Actor, Area
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.highlight import highlight_lines
from repos import access
from repos.git import read
from repos.git.read import FULL_ID
from repos.issues.models import Issue, Thread
from repos.issues.threads import ShownSpot, Spot
from repos.models import Repository
from repos.place import store_of, url
from repos.pulls import branches
from repos.pulls.models import PullRequest
from repos.reviews.following import Where, followed

MOST_LINES = 500  # of one range
MOST_BYTES = 1024 * 1024  # of a file whose lines are commented on
BEFORE, QUOTED_LINES, QUOTED_CHARACTERS = 3, 20, 400
OLD, NEW = "old", "new"


@dataclass(frozen=True)
class Range:
    """Lines start to line of one side of a difference; on a plain file page the side is new."""

    side: str
    start: int
    line: int


class LineKind:
    """rev: the commit in which the path has these lines, on the old side one of the base."""

    def check(self, actor: Actor, repository: Repository, spot: Spot) -> Spot:
        access.require_scope(actor, Area.REPO, write=False)
        asked = range_of(spot.detail)
        text = lines_at(repository, spot.rev, spot.path)
        if asked.line > len(text):
            raise Unprocessable(
                f"The file has {len(text):,} lines there, not {asked.line:,}.",
                details="Reload the page, then try again.",
            )
        first = max(asked.start - BEFORE, asked.line - QUOTED_LINES + 1, 1)
        quoted = [line[:QUOTED_CHARACTERS] for line in text[first - 1 : asked.line]]
        kept = {"side": asked.side, "start": asked.start, "line": asked.line, "from": first, "quoted": quoted}
        return replace(spot, detail=kept)

    def shown(self, actor: Actor, repository: Repository, threads: Sequence[Thread]) -> dict[int, ShownSpot]:
        if not actor.has_scope(Area.REPO, write=False):
            return {}
        now = current(repository, threads)
        return {thread.pk: _shown(repository, thread, now[thread.pk]) for thread in threads}


def current(repository: Repository, threads: Sequence[Thread]) -> dict[int, Where]:
    """Where the lines of threads are now: of a pull request in its two ends; of an issue where they were."""
    ids = {thread.issue_id for thread in threads if thread.issue.is_pull}
    ends: dict[int, dict[str, str]] = {}
    for pull in PullRequest.objects.filter(pk__in=ids):
        pull.issue = _issue(threads, pull.pk)
        base, head = branches.ends(pull)
        ends[pull.pk] = {OLD: branches.parted(repository, base, head), NEW: head}
    return followed(repository, [(one, ends.get(one.issue_id, {}).get(one.detail["side"], one.rev)) for one in threads])


def _issue(threads: Sequence[Thread], issue_id: int) -> Issue:
    return next(thread.issue for thread in threads if thread.issue_id == issue_id)


def range_of(detail: dict[str, Any]) -> Range:
    """side: new when it is left out. start: the line itself when it is left out. Raises Unprocessable."""
    line = _line(detail.get("line"))
    side, start = detail.get("side") or NEW, _line(detail.get("start") or line)
    if side not in (OLD, NEW):  # may be anything that JSON holds
        raise Unprocessable("A side is old or new.")
    if start > line:
        raise Unprocessable("A comment is on a line, or from one line to a later one.")
    if line - start >= MOST_LINES:
        raise Unprocessable(f"A comment is on at most {MOST_LINES} lines.", details="Choose fewer.")
    return Range(side, start, line)


def _line(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise Unprocessable("A line is named by its number.", details="Lines count from 1.")
    return value


def lines_at(repository: Repository, commit: str, path: str) -> list[str]:
    """The lines of a text file. Raises NotFound, or Unprocessable for what is no text of a size to comment on."""
    if not FULL_ID.fullmatch(commit):
        raise NotFound("A revision is named by its full commit id here: 40 hexadecimal digits.")
    store = store_of(repository)
    commit = read.resolve(store, commit).commit
    entry = read.find_entry(store, commit, path)
    if entry is None or entry.kind != "file":
        raise NotFound(f"There is no file '{path[:200]}' at {commit[:10]}.")
    blob = read.read_blob(store, entry.oid, limit_bytes=MOST_BYTES)
    if not blob.complete or b"\0" in blob.data:
        raise Unprocessable(
            "Only lines of texts of up to 1 MB can be commented on.", details="Write an issue about the file instead."
        )
    return split(blob.data.decode(encoding_of(blob.data)))


def encoding_of(data: bytes) -> str:
    """Of a text: the file page shows what is no UTF-8 as Latin-1, in which any bytes are letters."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def split(text: str) -> list[str]:
    """Lines as git counts them, without their ends."""
    lines = text.split("\n")
    return [line.removesuffix("\r").replace("\0", "\ufffd") for line in (lines[:-1] if lines[-1] == "" else lines)]


def _shown(repository: Repository, thread: Thread, now: Where) -> ShownSpot:
    path, start, line = now.path, now.start, now.end
    if now.outdated:
        path, start, line = thread.path, thread.detail["start"], thread.detail["line"]
    if thread.issue.is_pull:
        address = f"{thread.issue.get_absolute_url()}/files#thread-{thread.pk}"
    else:
        address = f"{url(repository, 'blob', thread.rev, path)}#{fragment(start, line)}"
    words = f"{path}, line {line}" if start == line else f"{path}, lines {start} to {line}"
    return ShownSpot(words, address, quoted(thread), outdated=now.outdated)


def fragment(start: int, line: int) -> str:
    """What the file page marks."""
    return f"L{line}" if start == line else f"L{start}-L{line}"


def quoted(thread: Thread) -> SafeString:
    """The lines as they were when somebody wrote about them."""
    detail = thread.detail
    code = highlight_lines("\n".join(detail["quoted"]) + "\n", thread.path)
    if len(code) < len(detail["quoted"]):  # the lexer saw other line ends than git
        code = [escape(line) for line in detail["quoted"]]
    rows = []
    for number, text in enumerate(code[: len(detail["quoted"])], detail["from"]):
        meant = number >= detail["start"]
        css = ("diff-meant diff-removed" if detail["side"] == OLD else "diff-meant") if meant else ""
        rows.append(f'<tr class="{css}"><td class="diff-number">{number}</td><td class="diff-code">{text}</td></tr>')
    return mark_safe(  # noqa: S308  # every piece of text was escaped
        f'<div class="diff-scroll"><table class="diff"><tbody>{"".join(rows)}</tbody></table></div>'
    )
