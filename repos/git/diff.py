"""Differences between two commits: the list of files with counts, and hunks of lines for those small enough to show.

Names and counts come from --raw --numstat -z, lines from a second git limited to the files shown: a commit that
touches 50,000 files costs a list, not a page of 50,000 diffs.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from repos.git import cli
from repos.git.printing import printed
from repos.git.read import blob_sizes, to_bytes, to_text

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
MAX_FILES = 3_000  # listed
MAX_FILES_SHOWN = 300  # with their lines
MAX_LINES_SHOWN = 3_000
MAX_LINES_PER_FILE = 1_500
MAX_LINES_ALONE = 20_000  # of a file asked for by itself
MAX_BLOB_BYTES = 1024 * 1024  # either side; longer lines than anyone reads are no reason to diff for seconds
BIG_BYTES = 8 * 1024 * 1024  # bigFileThreshold of our config: git takes what is larger for binary, text or not
MAX_NAMES_BYTES = 256 * 1024  # on git's command line
MAX_LINE_CHARACTERS = 2_000
TIMEOUT_SECONDS = 15.0
_FIXED = ("-r", "--submodule=short", "--full-index")
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
_STATUS = {"A": "added", "D": "deleted", "M": "modified", "R": "renamed", "C": "copied", "T": "type changed"}
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """kind: " ", "+" or "-". old, new: line numbers, 0 where the side has none. no_newline: no line end follows."""

    kind: str
    old: int
    new: int
    text: str
    no_newline: bool = False


@dataclass(frozen=True)
class Hunk:
    """heading: the function or section git found above."""

    old: int
    new: int
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class FileDiff:
    """One file. Names are str with surrogateescape. hunks None: not shown (too large, or beyond the page's limits).
    big: so large that git has not looked whether it is text; it is called binary as well."""

    status: str
    old_name: str
    name: str
    old_mode: int
    mode: int
    old_oid: str
    oid: str
    added: int = 0
    removed: int = 0
    binary: bool = False
    big: bool = False
    hunks: tuple[Hunk, ...] | None = None

    @property
    def lines(self) -> int:
        return self.added + self.removed


@dataclass(frozen=True)
class Diff:
    """total: files that differ; files holds at most MAX_FILES of them."""

    files: list[FileDiff] = field(default_factory=list)
    total: int = 0
    added: int = 0
    removed: int = 0


def compare(
    store: Path,
    base: str,
    head: str,
    *,
    path: str = "",
    ignore_space: bool = False,
    extra: Mapping[str, str] | None = None,
) -> Diff:
    """What differs from base to head, both full ids of commits or trees. path: one file, shown whole. extra: of the
    quarantine that a tree lies in."""
    files = changed(store, base, head, path=path, ignore_space=ignore_space, extra=extra)
    per_file, per_page = (MAX_LINES_ALONE, MAX_LINES_ALONE) if path else (MAX_LINES_PER_FILE, MAX_LINES_SHOWN)
    listed = with_lines(
        store,
        base,
        head,
        files[:MAX_FILES],
        per_file,
        per_page,
        renames=not path,
        ignore_space=ignore_space,
        extra=extra,
    )
    return Diff(listed, len(files), sum(f.added for f in files), sum(f.removed for f in files))


def changed(
    store: Path,
    base: str,
    head: str,
    *,
    path: str = "",
    ignore_space: bool = False,
    extra: Mapping[str, str] | None = None,
) -> list[FileDiff]:
    """All files that differ, with their counts and without their lines. path: only this one, never as a rename."""
    only = ["--", path] if path else []
    options = _options(renames=not path, ignore_space=ignore_space)
    return _files(_git(store, options, "--raw", "--numstat", "-z", base, head, *only, extra=extra))


def with_lines(
    store: Path,
    base: str,
    head: str,
    files: list[FileDiff],
    per_file: int,
    per_page: int,
    *,
    renames: bool = True,
    ignore_space: bool = False,
    extra: Mapping[str, str] | None = None,
) -> list[FileDiff]:
    """The same files, those that can be afforded with their lines. per_file, per_page: changed lines at most."""
    few = [file for file in files[:MAX_FILES_SHOWN] if file.binary or file.lines <= per_file]
    sizes = blob_sizes(store, [oid for file in few for oid in (file.old_oid, file.oid) if oid.strip("0")], extra=extra)
    shown = _affordable([file for file in few if not file.binary], sizes, per_page)
    big = {file.name for file in few if _is_big(file, sizes)}
    names = sorted({name for file in shown for name in (file.old_name, file.name)})
    options = _options(renames=renames, ignore_space=ignore_space)
    hunks = _sections(_git(store, options, "-U3", base, head, "--", *names, extra=extra)) if names else {}
    chosen = {file.name for file in shown}
    return [
        replace(file, hunks=tuple(hunks.get(to_bytes(file.name), [])))
        if file.name in chosen
        else replace(file, big=file.name in big)
        for file in files
    ]


def with_big(store: Path, files: list[FileDiff]) -> list[FileDiff]:
    """The same files; of those that git takes for binary it is said of which for their size alone."""
    asked = [oid for file in files if file.binary for oid in (file.old_oid, file.oid) if oid.strip("0")]
    sizes = blob_sizes(store, asked) if asked else {}
    return [replace(file, big=_is_big(file, sizes)) for file in files]


def text(store: Path, base: str, head: str) -> AsyncIterator[bytes]:
    """What `git diff base head` prints, as it comes. Full ids of commits or trees."""
    return printed(store, "diff-tree", *_FIXED, *_PLAIN, *_options(renames=True, ignore_space=False), "-p", base, head)


def _options(*, renames: bool, ignore_space: bool) -> list[str]:
    """renames: needs both names; of a path alone it finds none."""
    return [*(["-M", "-l1000"] if renames else []), *(["-w"] if ignore_space else [])]


def names_changed(store: Path, old: str, new: str) -> list[FileDiff]:
    """The files that differ, renames found; without counts, for which git would read every file."""
    return _files(_git(store, _options(renames=True, ignore_space=False), "--raw", "-z", old, new))


def bare_hunks(
    store: Path, old: str, new: str, files: Collection[FileDiff]
) -> dict[str, tuple[tuple[int, int, int], ...]]:
    """name → (first old line, how many, how many now) of each change: of an insertion the line it comes after."""
    names = sorted({name for file in files for name in (file.old_name, file.name)})
    patch = _git(store, _options(renames=True, ignore_space=False), "-U0", old, new, "--", *names) if names else b""
    return {
        to_text(name): tuple((hunk.old, _count_of(hunk, "-"), _count_of(hunk, "+")) for hunk in hunks)
        for name, hunks in _sections(patch).items()
    }


def _count_of(hunk: Hunk, kind: str) -> int:
    return sum(line.kind == kind for line in hunk.lines)


def of_texts(store: Path, old: Path, new: Path, name: str, *, ignore_space: bool = False) -> tuple[FileDiff, bool]:
    """(the lines in which two files on disk differ, whether some were left out). store: any folder, git asks for one.
    name: what the file is called."""
    options = ["-U3", "--text", *(["-w"] if ignore_space else []), *_PLAIN]
    names = ("--", str(old), str(new))
    out = cli.run(store, "diff", "--no-index", *options, *names, ok=(0, 1), timeout_seconds=TIMEOUT_SECONDS)
    hunks = next(iter(_sections(out).values()), [])
    added, removed = (sum(line.kind == kind for hunk in hunks for line in hunk.lines) for kind in "+-")
    kept, lines = list[Hunk](), 0
    for hunk in hunks:
        lines += len(hunk.lines)
        if lines > MAX_LINES_ALONE:
            break
        kept.append(hunk)
    found = FileDiff("modified", name, name, 0, 0, "", "", added, removed, hunks=tuple(kept))
    return found, len(kept) < len(hunks)


def of_patch(patch: bytes) -> Diff:
    """What a text in the form of `git diff` says, from whomever it is; binary files and what is no diff are left out.

    At most MAX_FILES_SHOWN files, and lines up to MAX_LINES_SHOWN.
    """
    found, room = list[FileDiff](), MAX_LINES_SHOWN
    sections = _sections(patch)
    for name, hunks in list(sections.items())[:MAX_FILES_SHOWN]:
        added, removed = (sum(line.kind == kind for hunk in hunks for line in hunk.lines) for kind in "+-")
        room -= sum(len(hunk.lines) for hunk in hunks)
        text = to_text(name)
        shown = tuple(hunks) if room >= 0 else None
        found.append(FileDiff("modified", text, text, 0, 0, "", "", added, removed, hunks=shown))
    return Diff(found, len(sections), sum(f.added for f in found), sum(f.removed for f in found))


def _affordable(few: list[FileDiff], sizes: Mapping[str, int], per_page: int) -> list[FileDiff]:
    """The files whose lines are shown at once, in order, within the limits of a page."""
    shown, lines, letters = list[FileDiff](), 0, 0
    for file in few:
        lines += file.lines
        letters += len(to_bytes(file.old_name)) + len(to_bytes(file.name))
        if lines > per_page or letters > MAX_NAMES_BYTES:
            break
        if max(_sizes(file, sizes)) <= MAX_BLOB_BYTES:
            shown.append(file)
    return shown


def _is_big(file: FileDiff, sizes: dict[str, int]) -> bool:
    return file.binary and max(_sizes(file, sizes)) > BIG_BYTES


def _sizes(file: FileDiff, sizes: Mapping[str, int]) -> tuple[int, int]:
    return sizes.get(file.old_oid, 0), sizes.get(file.oid, 0)


def _git(store: Path, options: list[str], *args: str, extra: Mapping[str, str] | None = None) -> bytes:
    """diff-tree, since it obeys no configuration of a user; no program of the repository's choice ever runs."""
    return cli.run(store, "diff-tree", *_FIXED, *_PLAIN, *options, *args, timeout_seconds=TIMEOUT_SECONDS, extra=extra)


# ---- the list of files ---------------------------------------------------------------------------
def _files(out: bytes) -> list[FileDiff]:
    """From `:mode mode oid oid status NUL name NUL [name NUL]`, then `added TAB removed TAB name NUL` or, for
    renames, `added TAB removed TAB NUL old NUL new NUL`."""
    tokens = iter(out.split(b"\0"))
    files: dict[bytes, FileDiff] = {}
    for token in tokens:
        if token.startswith(b":"):
            old_mode, mode, old_oid, oid, status = token[1:].decode().split(" ")
            old_name = next(tokens)
            name = next(tokens) if status[0] in "RC" else old_name
            modes = int(old_mode, 8), int(mode, 8)
            word = _STATUS.get(status[0], "modified")
            files[name] = FileDiff(word, to_text(old_name), to_text(name), *modes, old_oid, oid)
        elif token:
            added, removed, name = token.split(b"\t", 2)
            if not name:
                next(tokens)
                name = next(tokens)
            _count(files, name, added, removed)
    return list(files.values())


def _count(files: dict[bytes, FileDiff], name: bytes, added: bytes, removed: bytes) -> None:
    if added == b"-":
        files[name] = replace(files[name], binary=True)
    else:
        files[name] = replace(files[name], added=int(added), removed=int(removed))


# ---- the lines -----------------------------------------------------------------------------------
def _sections(patch: bytes) -> dict[bytes, list[Hunk]]:
    """name → hunks. A change of type makes two sections for one name: both are kept."""
    found: dict[bytes, list[Hunk]] = {}
    lines = patch.split(b"\n")
    at = 0
    while at < len(lines):
        if not lines[at].startswith(b"diff --git "):
            at += 1
            continue
        name, at = _header(lines, at)
        hunks = found.setdefault(name, [])
        while at < len(lines) and (match := _HUNK.fullmatch(lines[at])):
            hunk, at = _hunk(lines, at + 1, match)
            hunks.append(hunk)
    return found


def _header(lines: list[bytes], at: int) -> tuple[bytes, int]:
    """The new name of a section and the index of its first hunk (or of the next section)."""
    name = _twice(lines[at].removeprefix(b"diff --git "))
    at += 1
    while at < len(lines) and not lines[at].startswith((b"@@ ", b"diff --git ")):
        for word in (b"rename to ", b"copy to "):
            if lines[at].startswith(word):
                name = _unquote(lines[at].removeprefix(word))
        at += 1
    return name, at


def _twice(both: bytes) -> bytes:
    """The name in `a/NAME b/NAME`, each quoted when it holds odd bytes."""
    half = both[: (len(both) - 1) // 2]
    return _unquote(half).removeprefix(b"a/")


_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _unquote(name: bytes) -> bytes:
    """Undo git's quoting of a name as a C string."""
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name

    def plain(match: re.Match[bytes]) -> bytes:
        what = match[1]
        return bytes([int(what, 8) & 255]) if what.isdigit() else _ESCAPES.get(what, what)

    return re.sub(rb"\\([0-7]{3}|.)", plain, name[1:-1], flags=re.DOTALL)


def _hunk(lines: list[bytes], at: int, match: re.Match[bytes]) -> tuple[Hunk, int]:
    old, new = int(match[1]), int(match[3])
    old_left, new_left = int(match[2] or 1), int(match[4] or 1)
    start, found = (old, new), list[Line]()
    while at < len(lines) and (old_left or new_left or lines[at].startswith(b"\\")):
        kind, text = lines[at][:1].decode("latin-1"), lines[at][1:]
        if kind not in {" ", "+", "-", "\\"}:  # somebody else's patch, cut off or not as git writes it
            break
        at += 1
        if kind == "\\":
            if found:
                found[-1] = replace(found[-1], no_newline=True)
            continue
        shown = text[:MAX_LINE_CHARACTERS].removesuffix(b"\r").decode("utf-8", "replace")
        found.append(Line(kind, old if kind != "+" else 0, new if kind != "-" else 0, shown))
        if kind != "+":
            old, old_left = old + 1, old_left - 1
        if kind != "-":
            new, new_left = new + 1, new_left - 1
    return Hunk(*start, match[5].decode("utf-8", "replace")[:200], tuple(found)), at
