"""Pictures that runs left under the same name, by step: MLflow's log_image, DVCLive's, and names that end in a step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.artifact_bytes import raw_url
from experiments.beside.sides import Side
from hub.lib.previews.kinds import IMAGE, extension_of

MOST_NAMES, MOST_STEPS = 24, 100
# images/KEY+step+3+timestamp+1700000000000+UUID.png; older ones with % in place of +. A "/" of the key is a "~".
_MLFLOW = re.compile(r"images/(?P<key>.+?)[+%]step[+%](?P<step>\d{1,18})[+%]timestamp[+%]\d+[+%][0-9a-z][0-9a-f-]{35}")
_FOLDER = re.compile(r"(?P<key>.+)/(?P<step>\d{1,18})")  # DVCLive: plots/images/KEY/3.png
_NAMED = re.compile(r"(?P<key>.+?)[-_.](?:step|epoch|iter)[-_=]?(?P<step>\d{1,18})")


@dataclass(frozen=True)
class Shot:
    step: int
    url: str


@dataclass(frozen=True)
class Picture:
    """runs: for each side its shots by step, none where it left none of this name. steps: all there are, in order."""

    name: str
    runs: list[list[Shot]]
    steps: list[int]


def named(path: str) -> tuple[str, int] | None:
    """(name, step) of a picture, step 0 for one that has none; None for another file, and for a copy made smaller."""
    if extension_of(path) not in IMAGE:
        return None
    stem = path.rpartition(".")[0]
    if match := _MLFLOW.match(stem):
        return (
            None
            if stem.endswith(("+compressed", "%compressed"))
            else (match["key"].replace("~", "/"), int(match["step"]))
        )
    match = _NAMED.fullmatch(stem) or _FOLDER.fullmatch(stem)
    return (match["key"], int(match["step"])) if match else (stem, 0)


def pictures(sides: Sequence[Side]) -> tuple[list[Picture], bool]:
    """(the first by name, those of most runs first; whether there are more)."""
    found: dict[str, dict[int, dict[int, str]]] = {}
    for number, side in enumerate(sides):
        for path in side.files:
            if told := named(path):
                found.setdefault(told[0], {}).setdefault(number, {})[told[1]] = path
    names = sorted(found, key=lambda name: (-len(found[name]), name))
    return [_picture(name, found[name], sides) for name in names[:MOST_NAMES]], len(names) > MOST_NAMES


def _picture(name: str, shots: dict[int, dict[int, str]], sides: Sequence[Side]) -> Picture:
    runs = [
        [Shot(step, raw_url(side.repository, side.run.run_id, path)) for step, path in _some(shots.get(number, {}))]
        for number, side in enumerate(sides)
    ]
    return Picture(name, runs, sorted({shot.step for shots in runs for shot in shots}))


def _some(paths: dict[int, str]) -> Iterable[tuple[int, str]]:
    """By step; of very many the first, the last and some between."""
    steps = sorted(paths)
    if len(steps) > MOST_STEPS:
        steps = sorted({steps[number * (len(steps) - 1) // (MOST_STEPS - 1)] for number in range(MOST_STEPS)})
    return ((step, paths[step]) for step in steps)
