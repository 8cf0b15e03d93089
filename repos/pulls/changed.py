"""The Files tab: what a pull request changes, a page of files at a time, with the reader's marks and a tree of all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from hub.lib.errors import NotFound
from repos import cache, diffs, difftable
from repos.diffs import Options, ShownFile
from repos.difftable import anchor_of
from repos.git.diff import FileDiff
from repos.git.read import shown
from repos.models import Repository
from repos.place import quoted, url
from repos.pulls import beside, branches, filetree, generated, viewed
from repos.pulls.models import PullRequest

PAGE_FILES = 30
NOTEBOOK, MOST_NOTEBOOKS = ".ipynb", 100
TREE_FILES = 150  # of more, the page's own are in its tree at first; it is before the files, and most of its bytes
PAGE_LINES = 100  # changed ones, all at once
FIRST_LINES = 40  # of a page that has more: the other files bring theirs when they come into view


@dataclass(frozen=True)
class Ends:
    """Full ids of commits: where the head left the base, and the head."""

    base: str
    head: str


@dataclass(frozen=True)
class File:
    """folded: why its lines wait for a click, "" when they do not. mark: what a form sends to mark it. lost: what is
    said beside lines that are not shown."""

    shown: ShownFile
    viewed: bool
    folded: str
    mark: str
    lost: list[SafeString]


@dataclass(frozen=True)
class Notebook:
    """url: of the page that compares it, which another app has."""

    name: str
    old_name: str
    status: str
    url: str


@dataclass(frozen=True)
class Overview:
    """What is the same for everybody who looks at a page of the files. files: those of the page."""

    files: list[FileDiff]
    total: int
    added: int
    removed: int
    pages: int


@dataclass(frozen=True)
class Page:
    """tree: of all files if whole, else of the page's. viewed: how many of all the files. page counts from 1."""

    ends: Ends
    files: list[File]
    tree: SafeString
    whole: bool
    total: int
    added: int
    removed: int
    viewed: int
    page: int
    pages: int


def ends_of(pull: PullRequest) -> Ends:
    base, head = branches.ends(pull)
    return Ends(branches.parted(pull.repository, base, head), head)


def _ends_now(pull: PullRequest) -> Ends:
    """ends_of, without asking git while no ref of the repository moved; a fork's head comes here by other ways."""
    if pull.head_repository_id is not None or not pull.issue.is_open:
        return ends_of(pull)
    names = (pull.base, pull.head, pull.base_id, pull.head_id)
    return cache.by_refs(pull.repository, "pull-ends", *names, make=lambda: ends_of(pull))


def page(actor: Actor, pull: PullRequest, options: Options, *, number: int) -> Page:
    """Raises NotFound beyond the last page."""
    repository, ends = pull.repository, _ends_now(pull)
    found = _overview(repository, ends, options, number)
    seen = _seen(actor, pull, ends, options)
    whole = found.total <= TREE_FILES
    shown_tree = _tree(repository, ends, options) if whole else _tree_of(found, options, number)
    tree = filetree.seen_from(shown_tree, seen, page=number, query=options.query)
    files = _files(actor, pull, ends, found.files, options, seen)
    return Page(ends, files, tree, whole, found.total, found.added, found.removed, len(seen), number, found.pages)


def tree(actor: Actor, pull: PullRequest, options: Options, *, number: int) -> SafeString:
    """The tree of all files as it is on a page."""
    ends = _ends_now(pull)
    seen = _seen(actor, pull, ends, options)
    return filetree.seen_from(_tree(pull.repository, ends, options), seen, page=number, query=options.query)


def _overview(repository: Repository, ends: Ends, options: Options, number: int) -> Overview:
    def make() -> Overview:
        files = diffs.listed(repository, ends.base, ends.head, ignore_space=options.ignore_space)
        pages = max(1, -(-len(files) // PAGE_FILES))
        if not 1 <= number <= pages:
            raise NotFound("That page of the files does not exist.")
        added, removed = sum(file.added for file in files), sum(file.removed for file in files)
        return Overview(files[(number - 1) * PAGE_FILES : number * PAGE_FILES], len(files), added, removed, pages)

    ids = (ends.base, ends.head, options.ignore_space, number, PAGE_FILES, difftable.VERSION)
    return cache.by_ids(repository, "pull-page", *ids, make=make)


def _tree_of(found: Overview, options: Options, number: int) -> SafeString:
    return filetree.html(found.files, size=PAGE_FILES, query=options.query, first=(number - 1) * PAGE_FILES)


def _tree(repository: Repository, ends: Ends, options: Options) -> SafeString:
    def make() -> SafeString:
        files = diffs.listed(repository, ends.base, ends.head, ignore_space=options.ignore_space)
        return filetree.html(files, size=PAGE_FILES, query=options.query)

    return cache.by_ids(repository, "pull-tree", ends.base, ends.head, options, PAGE_FILES, filetree.VERSION, make=make)


def _seen(actor: Actor, pull: PullRequest, ends: Ends, options: Options) -> set[str]:
    """Anchors of the files that the reader has viewed as they are now."""
    read = viewed.marks(actor, pull)
    if not read:
        return set()
    files = diffs.listed(pull.repository, ends.base, ends.head, ignore_space=options.ignore_space)
    return {anchor for file in files if read.get(anchor := anchor_of(file.name)) == (file.old_oid, file.oid)}


def one(actor: Actor, pull: PullRequest, ends: Ends, path: str, options: Options) -> File:
    """A file whose lines were left for later. Raises NotFound when nothing differs there."""
    found = _of_pull(pull, ends, diffs.of_file(pull.repository, ends.base, ends.head, path, options), path, options)
    said = beside.beside(actor, pull, [path]).get(path, {})
    return _with(File(found, viewed=False, folded="", mark="", lost=[]), said, options)


def notebooks(pull: PullRequest) -> tuple[list[Notebook], int]:
    """(the first that differ, how many do in all)."""
    ends = ends_of(pull)
    files = diffs.listed(pull.repository, ends.base, ends.head, ignore_space=False)
    found = [file for file in files if file.name.endswith(NOTEBOOK)]
    place = url(pull.repository, "datasets/diff", f"{ends.base}...{ends.head}")
    return [
        Notebook(
            shown(file.name),
            shown(file.old_name) if file.old_name != file.name else "",
            file.status,
            f"{place}/{quoted(file.name)}",
        )
        for file in found[:MOST_NOTEBOOKS]
    ], len(found)


def _files(
    actor: Actor, pull: PullRequest, ends: Ends, files: list[FileDiff], options: Options, seen: set[str]
) -> list[File]:
    folded = {file.name: generated.why(file.name) for file in files}
    plain = [file for file in files if not folded[file.name]]
    repository = pull.repository
    at_once = PAGE_LINES if sum(file.added + file.removed for file in plain) <= PAGE_LINES else FIRST_LINES
    lines = {
        file.name: one
        for some, most in ((plain, at_once), ([file for file in files if folded[file.name]], 0))
        for file, one in zip(some, diffs.some(repository, ends.base, ends.head, some, options, lines=most), strict=True)
    }
    said = beside.beside(actor, pull, [file.name for file in files])
    return [
        _with(
            File(
                _of_pull(pull, ends, lines[file.name], file.name, options),
                anchor_of(file.name) in seen,
                folded[file.name],
                viewed.name_of(file),
                [],
            ),
            said.get(file.name, {}),
            options,
        )
        for file in files
    ]


def _of_pull(pull: PullRequest, ends: Ends, file: ShownFile, path: str, options: Options) -> ShownFile:
    """Its lines are asked from the pull request, which knows what is said beside them."""
    place = url(pull.repository, f"pull/{pull.number}/diff", ends.base, ends.head)
    return replace(file, url=f"{place}/{quoted(path)}?{options.query}")


def _with(file: File, said: dict[str, SafeString], options: Options) -> File:
    if not said or file.shown.html is None:
        return replace(file, lost=list(said.values()))
    rows, lost = beside.placed(file.shown, said, split=options.split)
    return replace(file, shown=replace(file.shown, html=rows), lost=[said[line] for line in lost])
