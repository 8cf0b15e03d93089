"""The files of a version, and what they say: MLmodel, requirements, the model card. Parsed in the sandbox, in part."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from experiments import files, runs
from experiments.files import File
from experiments.mlflow.context import workspace_of
from experiments.registry.reading import Version
from hub.lib import previews, sandbox
from hub.lib.errors import NotFound
from hub.lib.previews.preview import Bytes, Preview
from hub.lib.sandbox import Overrun, Unreadable
from repos.models import Repository

MLMODEL_BYTES, CARD_BYTES, REQUIREMENTS_BYTES = 512 * 1024, 512 * 1024, 128 * 1024
CARD_NAMES = ("README.md", "readme.md", "README.MD")
REQUIREMENTS_NAMES = ("requirements.txt", "conda.yaml", "python_env.yaml")
_UNSAFE = frozenset("%\\?#;\0")
_RUN = re.compile(r"runs:/([0-9a-zA-Z]{1,36})/(.+)")


@dataclass(frozen=True)
class Contents:
    """What a version holds. kept: its place is in this repository. files: the first ones, by path.

    flavors: (name, version of its library). signature: inputs, outputs, params → (name, type, optional).
    requirements: file name → text. problem: why MLmodel or the card's front matter could not be read.
    """

    kept: bool = False
    files: list[File] = field(default_factory=list)
    flavors: list[tuple[str, str]] = field(default_factory=list)
    signature: dict[str, list[Any]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    requirements: dict[str, str] = field(default_factory=dict)
    card: Preview | None = None
    front: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def contents(repository_id: int, version: Version, *, mount: str = "") -> Contents:
    """Everything its page shows; empty when the files are gone, or elsewhere. mount: /{owner}/{name}.mlflow/"""
    place = place_of(repository_id, version)
    if place is None:
        return Contents()
    found = files.listing(repository_id, place)
    names = {file.path: file for file in found}
    described, problem = _said(repository_id, place, names, "MLmodel", "mlmodel", MLMODEL_BYTES)
    card_name = next((name for name in CARD_NAMES if name in names), "")
    front, wrong = _said(repository_id, place, names, card_name, "front", CARD_BYTES)
    return Contents(
        kept=True,
        files=found,
        flavors=[(name, number) for name, number in described.get("flavors", [])],
        signature=described.get("signature", {}),
        facts=described.get("facts", {}),
        requirements={
            name: _text(_head(repository_id, place, name, REQUIREMENTS_BYTES))
            for name in REQUIREMENTS_NAMES
            if name in names
        },
        card=card(_head(repository_id, place, card_name, CARD_BYTES), base=f"{mount}{_url_of(place)}/")
        if card_name
        else None,
        front=front,
        problem=problem or wrong,
    )


def signature(repository_id: int, version: Version) -> tuple[dict[str, list[Any]], list[str]]:
    """(inputs, outputs, params; lines of requirements.txt), for a comparison."""
    place = place_of(repository_id, version)
    if place is None:
        return {}, []
    names = {file.path: file for file in files.listing(repository_id, place)}
    described, _ = _said(repository_id, place, names, "MLmodel", "mlmodel", MLMODEL_BYTES)
    listed = REQUIREMENTS_NAMES[0] in names
    text = _text(_head(repository_id, place, REQUIREMENTS_NAMES[0], REQUIREMENTS_BYTES)) if listed else ""
    return described.get("signature", {}), [line.strip() for line in text.splitlines() if line.strip()]


def card(text: bytes, *, base: str) -> Preview:
    """A model card as safe HTML without its front matter. base: where its relative links and images lead."""
    return previews.render("README.md", Bytes(text), raw_url="", link_base=base, raw_base=base)


def description(repository: Repository, text: str) -> Preview:
    """A description as safe HTML; its relative links and images lead to the files of the default branch."""
    pages, raw = (f"/{repository.full_name}/{word}/{quote(repository.default_branch)}/" for word in ("blob", "raw"))
    return previews.render("README.md", Bytes(text.encode()), raw_url="", link_base=pages, raw_base=raw)


def place_of(repository_id: int, version: Version) -> str | None:
    """Where its files are, as MLflow writes it; None for what this repository does not keep."""
    location = version.location
    if match := _RUN.fullmatch(location):
        try:
            location = f"{runs.bare(workspace_of(repository_id), match[1]).artifact_uri}/{match[2]}"
        except NotFound:  # the run was deleted, or is another repository's
            return None
    return location.rstrip("/") if is_own(repository_id, location) else None


def is_own(repository_id: int, location: str) -> bool:
    """Whether an address lies in the workspace of this repository: clients name the source of a version."""
    begin = f"mlflow-artifacts:/workspaces/{workspace_of(repository_id)}/"
    inside = location.removeprefix(begin).rstrip("/")
    return location.startswith(begin) and not _UNSAFE & set(inside) and not {"", ".", ".."} & set(inside.split("/"))


def exists(repository_id: int, place: str) -> bool:
    return is_own(repository_id, place) and bool(files.listing(repository_id, place))


def _said(
    repository_id: int, place: str, names: dict[str, File], name: str, function: str, limit: int
) -> tuple[dict[str, Any], str]:
    """(what a file says of the model, why it could not be read)."""
    if name not in names:
        return {}, ""
    if names[name].size > limit:
        return {}, f"{name} is too large to be read."
    try:
        data = _head(repository_id, place, name, limit)
        return sandbox.call(f"hub.lib.previews.model_card:{function}", data), ""
    except (Unreadable, Overrun) as error:
        return {}, f"{name}: {error if isinstance(error, Unreadable) else 'It takes too long to be read.'}"


def _head(repository_id: int, place: str, name: str, limit: int) -> bytes:
    try:
        return files.artifact(repository_id, place, name).head(limit)
    except NotFound:  # removed since it was listed
        return b""


def _url_of(place: str) -> str:
    return f"api/2.0/mlflow-artifacts/artifacts/{quote(place.partition(':')[2].strip('/'))}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
