"""The packages that runs say they had: from the requirements and environments that MLflow writes beside a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from experiments import files
from experiments.beside.sides import Side
from experiments.beside.tables import Table, table
from hub.lib.errors import HubError

NAMES = ("requirements.txt", "conda.yaml", "python_env.yaml")
MAX_BYTES, MOST_PACKAGES, MOST_FILES = 128 * 1024, 2_000, 6
# A line of requirements.txt, or an item of a list in YAML: a name, perhaps extras, and what it asks of its version.
_VERSION = r"[=<>!~][^;#,\s]{0,100}"
_LINE = re.compile(
    r"\s*(?:-\s+)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,100})(?:\[[^\]]{0,200}\])?\s*"
    rf"(?P<version>{_VERSION}(?:\s*,\s*{_VERSION})*)?\s*(?:[;#].*)?"
)
_CHANNELS = {"conda-forge", "defaults"}
_PYTHON = re.compile(r"python:\s*(?P<version>\S{1,40})")


def packages(sides: Sequence[Side], *, differences: bool) -> Table:
    """A row per package, a column per run."""
    return table([_of_run(side) for side in sides], differences=differences)


def _of_run(side: Side) -> dict[str, str]:
    found: dict[str, str] = {}
    paths = [path for path in side.files if path.rpartition("/")[2] in NAMES]
    for path in sorted(paths, key=lambda path: (path.count("/"), NAMES.index(path.rpartition("/")[2]), path))[
        :MOST_FILES
    ]:
        try:
            data = files.artifact(side.repository.pk, side.run.artifact_uri, path).head(MAX_BYTES)
        except HubError:  # removed since it was listed
            continue
        for name, version in parsed(data.decode("utf-8", "replace")).items():
            found.setdefault(name, version)
    return found


def parsed(text: str) -> dict[str, str]:
    """name → what is asked of its version: "1.2" for one exactly, "any" for nothing. Lines that say something else are
    left out."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _PYTHON.fullmatch(line.strip()):
            found.setdefault("python", match["version"])
        elif (match := _LINE.fullmatch(line[:500])) and len(found) < MOST_PACKAGES and match["name"] not in _CHANNELS:
            version = (match["version"] or "any").replace(" ", "")
            found.setdefault(match["name"].lower().replace("_", "-"), version.removeprefix("==").removeprefix("="))
    return found
