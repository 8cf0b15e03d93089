"""A difference as pages show it: made once per pair of commits and options."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.safestring import SafeString

from hub.lib.errors import NotFound, TooLarge
from repos import cache, difftable
from repos.git import cli, diff
from repos.git.diff import Diff, FileDiff
from repos.git.read import shown as printable
from repos.models import Repository
from repos.place import quoted, store_of, url

MOST_LISTED = 10_000  # names of files of one difference


@dataclass(frozen=True)
class Options:
    """How a diff is shown. split: two columns. ignore_space: differences of white space do not count."""

    split: bool = False
    ignore_space: bool = False

    @property
    def query(self) -> str:
        chosen = [*(["view=split"] if self.split else []), *(["w=1"] if self.ignore_space else [])]
        return "&".join(chosen)

    @property
    def other_view(self) -> str:
        return "?" + replace(self, split=not self.split).query

    @property
    def other_space(self) -> str:
        return "?" + replace(self, ignore_space=not self.ignore_space).query


@dataclass(frozen=True)
class ShownFile:
    """html: the rows; None when they are loaded later (url) or the file is binary. big: nobody looked what it is."""

    status: str
    name: str
    old_name: str
    added: int
    removed: int
    binary: bool
    big: bool
    mode_change: str
    anchor: str
    url: str
    large: bool
    html: SafeString | None


@dataclass(frozen=True)
class ShownDiff:
    files: list[ShownFile]
    total: int
    added: int
    removed: int


def between(repository: Repository, base: str, head: str, options: Options) -> ShownDiff:
    """base, head: full ids of commits or trees."""
    return cache.by_ids(
        repository, "diff", base, head, options, difftable.VERSION, make=lambda: _make(repository, base, head, options)
    )


def of_file(repository: Repository, base: str, head: str, path: str, options: Options) -> ShownFile:
    """One file, larger than a page of many would show. Raises NotFound when nothing differs there."""
    found = cache.by_ids(
        repository,
        "diff-file",
        base,
        head,
        path,
        options,
        difftable.VERSION,
        make=lambda: _make(repository, base, head, options, path=path),
    )
    if not found.files:
        raise NotFound("That file does not differ between these commits.")
    return found.files[0]


def listed(repository: Repository, base: str, head: str, *, ignore_space: bool) -> list[FileDiff]:
    """Every file that differs, without its lines: at most MOST_LISTED, however many more there are."""
    return cache.by_ids(
        repository,
        "diff-list",
        base,
        head,
        ignore_space,
        difftable.VERSION,
        make=lambda: diff.changed(store_of(repository), base, head, ignore_space=ignore_space)[:MOST_LISTED],
    )


def some(
    repository: Repository, base: str, head: str, files: list[FileDiff], options: Options, *, lines: int
) -> list[ShownFile]:
    """Some files of listed(), with their lines while there are at most so many of them on the page."""

    def make() -> list[ShownFile]:
        store = store_of(repository)
        found = diff.with_lines(
            store, base, head, files, diff.MAX_LINES_PER_FILE, lines, ignore_space=options.ignore_space
        )
        return [_shown(repository, base, head, file, options) for file in found]

    names = [file.name for file in files]
    return cache.by_ids(repository, "diff-some", base, head, options, lines, names, difftable.VERSION, make=make)


def of_patch(patch: bytes, options: Options) -> ShownDiff:
    """The lines of a patch as `git diff` writes it, whoever made it; no files when it is none."""
    return shown_whole(diff.of_patch(patch), options)


def shown_whole(found: Diff, options: Options) -> ShownDiff:
    """A difference of which nothing is loaded later."""
    files = [_shown_file(file, "", options) for file in found.files]
    return ShownDiff(files, found.total, found.added, found.removed)


def _make(repository: Repository, base: str, head: str, options: Options, *, path: str = "") -> ShownDiff:
    try:
        found = diff.compare(store_of(repository), base, head, path=path, ignore_space=options.ignore_space)
    except cli.GitError as error:
        absent = NotFound("These commits cannot be compared here.")  # also where git calls an unknown id a bad object
        raise error.answer if isinstance(error.answer, TooLarge) else absent from error
    files = [_shown(repository, base, head, file, options) for file in found.files]
    return ShownDiff(files, found.total, found.added, found.removed)


def _shown(repository: Repository, base: str, head: str, file: FileDiff, options: Options) -> ShownFile:
    address = f"{url(repository, 'diff-file', base, head)}/{quoted(file.name)}?{options.query}"
    return _shown_file(file, address, options)


def _shown_file(file: FileDiff, address: str, options: Options) -> ShownFile:
    anchor = difftable.anchor_of(file.name)
    modes = f"{file.old_mode:o} → {file.mode:o}" if file.old_mode != file.mode and file.old_mode and file.mode else ""
    return ShownFile(
        status=file.status,
        name=printable(file.name),
        old_name=printable(file.old_name),
        added=file.added,
        removed=file.removed,
        binary=file.binary,
        big=file.big,
        mode_change=modes,
        anchor=anchor,
        url=address,
        large=file.lines > diff.MAX_LINES_PER_FILE,
        html=difftable.html(file, split=options.split, anchor=anchor) if file.hunks is not None else None,
    )
