"""The demo's experiments of `dvc exp run`, as `dvc exp push` leaves them: commits that only refs/exps lead to."""

from __future__ import annotations

import json

from hub.accounts.actor import Actor
from hub.demo import texts
from repos import publishing
from repos.git import writing
from repos.git.store import ZERO, RefChange
from repos.models import Repository
from repos.storage import store

# name → what was tried instead, and what came of it
TRIED = {
    "plump-owlet": ("lr: 0.003", "lr: 0.01", {"val_acc": 0.842, "val_loss": 0.466, "mae": 0.71}),
    "brisk-wren": ("weight_decay: 0.0001", "weight_decay: 0.001", {"val_acc": 0.876, "val_loss": 0.405, "mae": 0.61}),
}


def push(repository: Repository, actor: Actor, *, baseline: str, author: str, when: int) -> None:
    """when: seconds since 1970, of the first; the others follow every half hour."""
    changes = []
    with store().quarantine(repository.pk) as quarantine, writing.object_store(quarantine.objects) as objects:
        root = writing.root_of(objects, baseline)
        for number, (name, (old, new, metrics)) in enumerate(TRIED.items()):
            files = {
                "params.yaml": texts.PARAMS.replace(old, new),
                "metrics.json": json.dumps(metrics, indent=2) + "\n",
            }
            edits = {
                writing.parts_of(path): writing.TreeFile(writing.FILE, writing.add_blob(objects, text.encode()))
                for path, text in files.items()
            }
            tree = writing.updated_tree(objects, root, edits)
            message, at = f"dvc: commit experiment {name}", when + number * 1800
            sha = writing.add_commit(objects, tree=tree, parents=[baseline], author=author, message=message, when=at)
            changes.append(RefChange(f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", ZERO, sha))
        publishing.publish(repository, actor, changes, quarantine=quarantine)
