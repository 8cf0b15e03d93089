"""`dvc plots diff` of two commits by DVC's own code over the given files alone: what dvc.yaml calls plots, as points.

Runs in the sandbox. defined() says which files plots are made of, drawn() reads them. Nothing is rendered here: what is
a template's work is the page's.
"""

from __future__ import annotations

import base64
import io
import json
import math
import posixpath
from collections.abc import Iterator
from typing import Any

import dpath
from dvc.render import FIELD, FILENAME
from dvc.render.converter.vega import VegaConverter
from dvc.render.match import PlotsData, _squash_plots_properties
from dvc.repo.plots import _resolve_definitions, infer_data_sources, onerror_collect, parse, unpack_if_dir
from dvc_render import ImageRenderer

from datasets.dvc import pointers
from datasets.pipelines.entries import plain
from datasets.pipelines.resolving import ODD, TooSlow, check, limited, resolved, sentence

MAX_PATHS = 500
MAX_PLOTS = 300
MAX_POINTS, MAX_ALL_POINTS = 20_000, 200_000  # of one plot, of all
SECONDS_PER_FILE, SECONDS_PER_PLOT = 4.0, 4.0  # of processor time
IMAGES = tuple(ImageRenderer.EXTENSIONS)
Answer = dict[str, Any]


def defined(payload: bytes, *, pipelines: list[str]) -> Answer:
    """{"definitions": dvc.yaml → plot → properties, "outs": path → properties, "paths": what to read, "problems",
    "missed"}; arguments and missed as of resolving.resolve. A path may be a folder."""
    found, files = resolved(payload, pipelines)
    side = {"definitions": found.plots, "outs": found.plotted, "files": {}}
    definitions, problems = _definitions(side)
    paths = list(dict.fromkeys(_sources(definitions)))
    inside = [path for path in paths if pointers.clean(path) == path and path.isprintable()]
    if len(inside) > MAX_PATHS:
        problems.append(f"There are more than {MAX_PATHS} files of plots; the others are left out.")
    answer = {"definitions": found.plots, "outs": found.plotted, "paths": inside[:MAX_PATHS]}
    problems += [f"{problem['file']}: {problem['message']}" for problem in found.problems]
    return plain(answer | {"problems": problems}) | {"missed": files.asked_for()}


def drawn(payload: bytes) -> Answer:
    """{"plots", "problems"}. payload: JSON of side → {"definitions", "outs" as of defined(), "files": path → base64,
    null for an image, "problems": path → sentence}.

    plots: {"id", "kind": "points" or "image", "errors": [{"side", "source", "message"}]}; of points besides "title",
    "template", "x" and "y" (fields), "x_label", "y_label", "series": [{"side", "file", "field", "x", "y"}], where a
    value is a number, a text or null; of an image "images": side → path.
    """
    sides = json.loads(payload)
    data: Answer = {}
    problems: list[Answer] = []
    for side, given in sides.items():
        definitions, odd = _definitions(given)
        problems += [{"side": side, "message": message} for message in odd]
        sources = {path: _read(given, path) for path in dict.fromkeys(_sources(definitions))}
        data[side] = {"definitions": {"data": definitions}, "sources": {"data": sources}}
    plots: list[Answer] = []
    room = MAX_ALL_POINTS
    known = PlotsData(data)
    for name, group in known.group_definitions().items():
        if len(plots) == MAX_PLOTS:
            problems.append({"side": "", "message": f"There are more than {MAX_PLOTS} plots; the others are left out."})
            break
        plots.append(_plot(known, name, group, min(room, MAX_POINTS)))
        room -= sum(len(one["x"]) for one in plots[-1].get("series", []))
    return dict(plain({"plots": plots, "problems": problems}))


class Tree:
    """The files of a commit, as DVC's code asks for them. Others cannot be read, whatever a path says."""

    def __init__(self, files: dict[str, str | None]) -> None:
        self.files = files

    join = staticmethod(posixpath.join)
    dirname = staticmethod(posixpath.dirname)
    commonpath = staticmethod(posixpath.commonpath)

    def find(self, path: str) -> list[str]:
        return [one for one in self.files if path in {".", ""} or one.startswith(f"{path}/")]

    def isdir(self, path: str) -> bool:
        return path not in self.files and bool(self.find(path))

    def open(self, path: str, mode: str = "r", **_: object) -> io.IOBase:
        data = base64.b64decode(self.files[path] or "")
        if posixpath.splitext(path)[1] in {".yaml", ".yml"}:
            check(path, data)
        return io.TextIOWrapper(io.BytesIO(data), "utf-8") if mode == "r" else io.BytesIO(data)


# ---- definitions -------------------------------------------------------------------------------
def _definitions(side: Answer) -> tuple[Answer, list[str]]:
    """(dvc.yaml, or "" for outputs of stages → {"data": plot → properties}, sentences about bad ones)."""
    tree = Tree(side["files"])
    found: Answer = {}
    problems: list[str] = []
    for config, plots in side["definitions"].items():
        try:
            dpath.merge(found, {config: _resolve_definitions(tree, [], {}, config, plots)})
        except ODD as error:
            problems.append(f"{config}: {sentence(error, config)}")
    for path, props in side["outs"].items():
        dpath.merge(found, {"": unpack_if_dir(tree, path, props=props)})
    return found, problems


def _sources(definitions: Answer) -> Iterator[str]:
    for content in definitions.values():
        for name, props in content.get("data", {}).items():
            yield from infer_data_sources(name, props)


def _read(side: Answer, path: str) -> Answer:
    """{"data"} or {"error"}, as DVC keeps it."""
    if path in side["problems"]:
        return {"error": ValueError(side["problems"][path])}
    if path not in side["files"]:
        return {"error": ValueError("it is not there")}
    if path.lower().endswith(IMAGES):
        return {"data": path}
    props = side["outs"].get(path, {})
    try:
        with limited(SECONDS_PER_FILE):
            return dict(parse(Tree(side["files"]), path, props=props, onerror=onerror_collect))
    except TooSlow as error:
        return {"error": error}


# ---- one plot ----------------------------------------------------------------------------------
def _plot(known: PlotsData, name: str, group: list[Any], most: int) -> Answer:
    """group: (side, id in its dvc.yaml, properties) of each side that has it."""
    if group[0][1].lower().endswith(IMAGES):
        return _image(known, name, group)
    props = _squash_plots_properties(group)
    plot: Answer = {"id": name, "kind": "points", "series": [], "errors": []}
    used: Answer = {}
    for side, inner, definition in group:
        sources = infer_data_sources(inner, definition)
        plot["errors"] += _errors(known, side, sources)
        try:
            with limited(SECONDS_PER_PLOT):
                points, says = VegaConverter(inner, known.get_definition_data(sources, side), props).flat_datapoints(
                    side
                )
                if len(points) > most:
                    raise ValueError(f"it has {len(points):,} points, more than are drawn here")
                plot["series"] += _series(side, points, says)
        except (*ODD, TooSlow) as error:
            plot["errors"].append({"side": side, "source": "", "message": _said(error, name)})
            continue
        used = used or says
    texts = {key: str(used.get(key) or props.get(key) or "") for key in ("x", "y", "x_label", "y_label")}
    return plot | texts | {"title": str(props.get("title") or name), "template": str(props.get("template") or "linear")}


def _series(side: str, points: list[Answer], says: Answer) -> Iterator[Answer]:
    """One for each file and field, in the order of the points."""
    found: dict[tuple[str, str], Answer] = {}
    for point in points:
        file, field = str(point[FILENAME]), str(point[FIELD])
        empty: Answer = {"side": side, "file": file, "field": field, "x": [], "y": []}
        one = found.setdefault((file, field), empty)
        one["x"].append(_value(point.get(says["x"])))
        one["y"].append(_value(point.get(says["y"])))
    yield from found.values()


def _image(known: PlotsData, name: str, group: list[Any]) -> Answer:
    images, errors = {}, []
    for side, inner, _ in group:
        errors += _errors(known, side, [inner])
        if known.get_definition_data([inner], side):
            images[side] = inner
    return {"id": name, "kind": "image", "images": images, "errors": errors}


def _errors(known: PlotsData, side: str, sources: list[str]) -> list[Answer]:
    read = known.data[side]["sources"]["data"]
    odd = {path: read[path]["error"] for path in sources if "error" in read.get(path, {})}
    return [{"side": side, "source": path, "message": _said(error, path)} for path, error in odd.items()]


def _said(error: BaseException, name: str) -> str:
    return "it takes too long to be read" if isinstance(error, TooSlow) else sentence(error, name)[:500]


def _value(value: Any) -> Any:
    """Texts of tables that are numbers as numbers; what no chart can place as null."""
    if isinstance(value, str):
        try:
            value = float(value) if "_" not in value else value
        except ValueError:
            return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str)[:200]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
