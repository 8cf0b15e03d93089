"""The demo's experiments of `dvc exp run`, as `dvc exp push` leaves them: commits that only refs/exps lead to."""

from __future__ import annotations

from collections.abc import Mapping

from hub.accounts.actor import Actor
from hub.demo import texts
from repos import publishing
from repos.git import writing
from repos.git.store import ZERO, RefChange
from repos.models import Repository
from repos.storage import store

# name → params.yaml with what was tried instead
TRIED = {
    "plump-owlet": texts.PARAMS.replace("lr: 0.003", "lr: 0.01"),
    "brisk-wren": texts.PARAMS.replace("weight_decay: 0.0001", "weight_decay: 0.001"),
}


def push(
    repository: Repository, actor: Actor, metrics: Mapping[str, str], *, baseline: str, author: str, when: int
) -> None:
    """metrics: metrics.json of each that was tried. when: seconds since 1970, of the first; the others follow every
    half hour."""
    changes = []
    with store().quarantine(repository.pk) as quarantine, writing.object_store(quarantine.objects) as objects:
        root = writing.root_of(objects, baseline)
        for number, (name, params) in enumerate(TRIED.items()):
            files = {"params.yaml": params, "metrics.json": metrics[name]}
            edits = {
                writing.parts_of(path): writing.TreeFile(writing.FILE, writing.add_blob(objects, text.encode()))
                for path, text in files.items()
            }
            tree = writing.updated_tree(objects, root, edits)
            message, at = f"dvc: commit experiment {name}", when + number * 1800
            sha = writing.add_commit(objects, tree=tree, parents=[baseline], author=author, message=message, when=at)
            changes.append(RefChange(f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", ZERO, sha))
        publishing.publish(repository, actor, changes, quarantine=quarantine)
