"""dvc.yaml and dvc.lock → stages, by DVC's own resolver over the given files alone. Runs in the sandbox.

The resolver gets a file system that is a dict: nothing else can be read, whatever a path says, and nothing is written
or run. One bad stage spoils itself only; one bad file its own stages.
"""

from __future__ import annotations

import base64
import io
import json
import math
import posixpath
import re
import signal
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import voluptuous
from configobj import ConfigObj, ConfigObjError
from dvc import schema
from dvc.exceptions import DvcException
from dvc.parsing import DataResolver, ForeachDefinition, MatrixDefinition
from dvc.utils.serialize import load_path, parse_yaml

from datasets.dvc import pointers
from datasets.dvc.documents import Malformed
from datasets.pipelines import entries, yamls

MAX_STAGES = 2_000
MAX_ITEMS = 20_000  # deps, outs and params of one repository
SECONDS_PER_FILE, SECONDS_IN_ALL = 10.0, 25.0  # of processor time
CONFIG = ".dvc/config"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # DVC writes its messages for a terminal


MAX_PROBLEMS = 500


class TooSlow(Exception):
    """Resolving one file took too long."""


class TooMany(Exception):
    """Nobody reads more problems than these."""


# What a resolver and parsers raise over documents that nobody checked.
ODD = (
    DvcException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    voluptuous.Invalid,
)


def resolve(payload: bytes, *, pipelines: list[str]) -> dict[str, Any]:
    """{"files", "stages", "problems", "missed"} of these dvc.yaml files (paths from the root).

    payload: JSON of path → content in base64, null for a file that is too large. missed: files that were asked for and
    not given; give those that exist, and ask again.
    """
    found, files = resolved(payload, pipelines)
    answer = {"files": found.pipelines, "stages": found.stages, "problems": found.problems}
    return entries.plain(answer) | {"missed": files.asked_for()}


def resolved(payload: bytes, pipelines: list[str]) -> tuple[Found, Files]:
    """What is found in dvc.yaml files, and the files that were given; arguments as of resolve."""
    given = json.loads(payload)
    contents = {path: base64.b64decode(content) for path, content in given.items() if content is not None}
    files = Files(contents, given.keys() - contents.keys())
    found = Found(files, Repo(files))
    deadline = time.process_time() + SECONDS_IN_ALL
    with suppress(TooMany):
        for path in pipelines:
            _in_time(found, path, min(SECONDS_PER_FILE, deadline - time.process_time()))
    return found, files


class Files:
    """The file system that DVC's resolver sees."""

    def __init__(self, files: dict[str, bytes], too_large: Set[str] = frozenset()) -> None:
        self.files = files
        self.too_large = too_large
        self.missed: set[str] = set()
        self._checked: set[str] = set()

    join = staticmethod(posixpath.join)

    def asked_for(self) -> list[str]:
        """Those that were not given."""
        return sorted(path for path in self.missed if pointers.clean(path) == path and path.isprintable())

    def normpath(self, path: str) -> str:
        return posixpath.normpath(path)

    def relpath(self, path: str) -> str:
        return posixpath.relpath(path, "/")

    def suffix(self, path: str) -> str:
        return posixpath.splitext(path)[1]

    def isdir(self, path: str) -> bool:
        return False

    def exists(self, path: str) -> bool:
        path = self.normpath(path)
        if path in self.too_large:
            raise ValueError(f"'{path}' is too large to be read here")
        if path not in self.files:
            self.missed.add(path)
        return path in self.files

    def open(self, path: str, encoding: str = "utf-8") -> io.StringIO:
        path = self.normpath(path)
        if not self.exists(path):
            raise ValueError(f"'{path}' does not exist")
        if path not in self._checked and self.suffix(path).lower() not in {".toml", ".json", ".py"}:
            check(path, self.files[path])
        self._checked.add(path)
        return io.StringIO(self.files[path].decode(encoding))


class Repo:
    """As much of DVC's Repo as its resolver asks for: no project on disk, no configuration but how it writes lists."""

    def __init__(self, files: Files) -> None:
        self.fs = files
        self.config = {"parsing": _parsing(files.files.get(CONFIG, b""))}


class Found:
    def __init__(self, files: Files, repo: Repo) -> None:
        self.files, self.repo = files, repo
        self.pipelines: list[dict[str, Any]] = []
        self.stages: list[dict[str, Any]] = []
        self.problems: list[dict[str, str]] = []
        self.plots: dict[str, dict[str, Any]] = {}  # dvc.yaml → what it declares at its top: plot → properties
        self.plotted: dict[str, dict[str, Any]] = {}  # output that a stage calls a plot → properties
        self.items = 0
        self._params: dict[str, Any] = {}

    def problem(self, file: str, stage: str, message: str) -> None:
        self.problems.append({"file": file, "stage": stage, "message": message[:1000]})
        if len(self.problems) > MAX_PROBLEMS:
            raise TooMany

    @contextmanager
    def guarded(self, file: str, stage: str) -> Iterator[None]:
        try:
            yield
        except ODD as error:
            self.problem(file, stage, sentence(error, file))

    def params(self, path: str) -> Any:
        """A params file, loaded once. Raises one of ODD."""
        if path not in self._params:
            try:
                self._params[path] = load_path(path, self.files)
            except ODD as error:
                self._params[path] = error
        value = self._params[path]
        if isinstance(value, Exception):
            raise value
        return value


def _in_time(found: Found, path: str, seconds: float) -> None:
    try:
        with found.guarded(path, ""), limited(max(0.5, seconds)):
            _pipeline(found, path)
    except TooSlow:
        found.problem(path, "", "Resolving it takes too long; stages are left out.")


# ---- one dvc.yaml ------------------------------------------------------------------------------
def _pipeline(found: Found, path: str) -> None:
    document: Any = parse_yaml(found.files.open(path).read(), Path(path))
    if not isinstance(document, dict):
        raise ValueError("it is not a mapping")
    document = _valid(found, path, document)
    lock = _lock(found, posixpath.join(posixpath.dirname(path), "dvc.lock"))
    resolver = None
    with found.guarded(path, ""):
        resolver = DataResolver(found.repo, posixpath.dirname(path), document)
    if resolver is None:  # without its variables none of its stages can be known
        found.stages += [entries.unresolved(path, name) for name in list(document.get("stages", {}))[:MAX_STAGES]]
        return
    top: dict[str, Any] = {"path": path, "metrics": [], "params": [], "plots": []}
    with found.guarded(path, ""):
        top["metrics"] = [item for item in resolver.resolve_metrics() if isinstance(item, str)]
    with found.guarded(path, ""):
        top["params"] = [item for item in resolver.resolve_params() if isinstance(item, str)]
    with found.guarded(path, ""):
        plots = resolver.resolve_plots()
        found.plots[path] = entries.plots(plots)
        top["plots"] = list(found.plots[path])
    found.pipelines.append(top)
    for name, definition in resolver.definitions.items():
        if len(found.stages) >= MAX_STAGES:
            found.problem(path, name, f"There are more than {MAX_STAGES:,} stages; those from here on are left out.")
            return
        _definition(found, path, resolver, name, definition, lock)


def _valid(found: Found, path: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document without the sections and stages that DVC's schema refuses; they become problems."""
    valid: dict[str, Any] = {}
    for key, value in document.items():
        if key != "stages":
            with found.guarded(path, ""):
                valid |= schema.COMPILED_MULTI_STAGE_SCHEMA({key: value})
    stages = document.get("stages")
    if stages is not None and not isinstance(stages, dict):
        found.problem(path, "", "stages is not a mapping of names to stages.")
        stages = None
    valid["stages"] = {}
    for name, definition in (stages or {}).items():
        count = len(found.problems)
        with found.guarded(path, str(name)):
            valid["stages"] |= schema.COMPILED_MULTI_STAGE_SCHEMA({"stages": {name: definition}})["stages"]
        if len(found.problems) > count and len(found.stages) < MAX_STAGES:
            found.stages.append(entries.unresolved(path, str(name)))
    return valid


def _definition(found: Found, path: str, resolver: Any, name: str, definition: Any, lock: Any) -> None:
    """One entry of `stages:`, which may stand for many stages."""
    names: list[str] | None = None
    with found.guarded(path, name):
        if isinstance(definition, (ForeachDefinition, MatrixDefinition)):
            count = _count(definition)
            if len(found.stages) + count > MAX_STAGES:
                raise ValueError(f"it makes {count:,} stages; at most {MAX_STAGES:,} of a repository are shown")
            names = definition.get_generated_names()
        else:
            names = [name]
    if names is None:
        found.stages.append(entries.unresolved(path, name))
        return
    for each in names:
        _stage(found, path, resolver, each, group=name if each != name else "", lock=lock)


def _count(definition: Any) -> int:
    iterable = definition.resolved_iterable
    if isinstance(definition, MatrixDefinition):
        return math.prod(len(values) for values in iterable.values())
    return len(iterable)


def _stage(found: Found, path: str, resolver: Any, name: str, *, group: str, lock: Any) -> None:
    before = len(found.problems)
    with found.guarded(path, name):
        resolved = resolver.resolve_one(name)[name]
        locked = entries.UNREAD if lock is None else lock.get(name)
        stage = entries.stage(path, name, group, resolved, locked, found.params)
        found.plotted |= entries.plotted(stage["wdir"], resolved)
        found.items += sum(len(stage[key]) for key in ("deps", "params", "outs"))
        if found.items > MAX_ITEMS:
            raise ValueError(f"the stages have more than {MAX_ITEMS:,} dependencies, parameters and outputs in all")
        found.stages.append(stage)
        for place in stage.pop("outside"):
            found.problem(path, name, f"'{place}' leads out of the repository; it is not looked at.")
        for sentence in stage.pop("unread"):
            found.problem(path, name, sentence)
        return
    assert len(found.problems) > before
    found.stages.append(entries.unresolved(path, name, group))


def _lock(found: Found, path: str) -> dict[str, Any] | None:
    """What dvc.lock records: name → stage; {} without one; None when it cannot be read."""
    with found.guarded(path, ""):
        if not found.files.exists(path):
            return {}
        document: Any = parse_yaml(found.files.open(path).read(), Path(path))
        if not isinstance(document, dict):
            raise ValueError("it is not a mapping")
        stages = document.get("stages") if "schema" in document or "stages" in document else document
        if stages is not None and not isinstance(stages, dict):
            raise ValueError("stages is not a mapping")
        return stages or {}
    return None


# ---- parts -------------------------------------------------------------------------------------
def _parsing(config: bytes) -> dict[str, str]:
    """[parsing] of .dvc/config: how lists and booleans are written into commands."""
    try:
        found = ConfigObj(config.decode("utf-8", "replace").splitlines(), interpolation=False, list_values=False)
    except ConfigObjError:
        return {}
    section = found.get("parsing")
    allowed = {"bool": {"store_true", "boolean_optional"}, "list": {"append", "nargs"}}
    return {k: section[k] for k, values in allowed.items() if isinstance(section, dict) and section.get(k) in values}


def check(path: str, data: bytes) -> None:
    try:
        yamls.check(data)
    except Malformed as error:
        raise ValueError(f"'{path}' cannot be read: {error}") from error


def sentence(error: BaseException, file: str) -> str:
    if isinstance(error, voluptuous.Invalid):
        first = error.errors[0] if isinstance(error, voluptuous.MultipleInvalid) else error
        where = ".".join(str(part) for part in first.path)
        return f"{first.error_message} at {where}" if where else str(first.error_message)
    if isinstance(error, MemoryError):
        return "it needs more memory than this hub gives to it"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, (DvcException, ValueError)) and str(error):
        return " ".join(_COLOURS.sub("", str(error)).split())
    return f"DVC cannot resolve it ({type(error).__name__})"


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlow

    # Not the clock of the wall: that one is the sandbox's own.
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
