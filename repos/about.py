"""What the side panel of a repository's front page says: its licence and its languages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from hub.lib.errors import Busy, TooLarge
from repos import cache
from repos.browsing import Row
from repos.git import cli
from repos.place import Place

_LICENCE = re.compile(r"(licen[cs]e|copying)([.-].*)?", re.IGNORECASE)
MAX_LANGUAGES = 5
LIMIT_BYTES = 32 * 1024 * 1024
# By ending; data and prose do not count as code.
_LANGUAGES = {
    "Python": "py pyi pyx", "Jupyter Notebook": "ipynb", "R": "r rmd", "Julia": "jl", "C": "c h",
    "C++": "cc cpp cxx hpp hh", "Cuda": "cu cuh", "Rust": "rs", "Go": "go", "Java": "java", "Scala": "scala",
    "Kotlin": "kt", "JavaScript": "js mjs jsx", "TypeScript": "ts tsx", "HTML": "html htm", "CSS": "css scss",
    "Shell": "sh bash", "SQL": "sql", "MATLAB": "m", "Lua": "lua", "Ruby": "rb", "Perl": "pl pm", "PHP": "php",
    "Swift": "swift", "Haskell": "hs", "Fortran": "f90 f",
}  # fmt: skip
_BY_ENDING = {ending: name for name, endings in _LANGUAGES.items() for ending in endings.split()}


@dataclass(frozen=True)
class Language:
    """start and share are per cent of the bar; percent is the share in words."""

    name: str
    start: str
    share: str
    percent: str


@dataclass(frozen=True)
class About:
    """licence: the address of its file, "" without one."""

    licence: str
    languages: list[Language]


def about(place: Place, rows: list[Row]) -> About:
    licence = next((row.url for row in rows if row.kind == "file" and _LICENCE.fullmatch(row.name)), "")
    return About(licence, cache.by_ids(place.repository, "languages", place.commit, make=lambda: _languages(place)))


def _languages(place: Place) -> list[Language]:
    try:
        out = cli.run(place.store, "ls-tree", "-r", "-l", "-z", place.commit, limit_bytes=LIMIT_BYTES)
    except (TooLarge, Busy):  # the front page of a huge repository does without the bar
        return []
    sizes = Counter[str]()
    for line in out.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        size = facts.split()[-1:] or [b"-"]
        ending = path.rsplit(b".", 1)[-1].lower().decode("ascii", "replace")
        if ending in _BY_ENDING and size[0].isdigit():
            sizes[_BY_ENDING[ending]] += int(size[0])
    return _bar(sizes)


def _bar(sizes: Counter[str]) -> list[Language]:
    total = sum(sizes.values())
    if not total:
        return []
    top = sizes.most_common(MAX_LANGUAGES)
    other = total - sum(size for _, size in top)
    start, languages = 0.0, list[Language]()
    for name, size in [*top, *([("Other", other)] if other else [])]:
        share = 100 * size / total
        languages.append(Language(name, f"{start:.3f}", f"{share:.3f}", f"{share:.1f} %"))
        start += share
    return languages
