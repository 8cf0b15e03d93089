"""How runs made from git are told from logged ones, without asking anybody: by ids and places no client can choose."""

from __future__ import annotations

import hashlib

SOURCE_TAG = "covey.source"
ARCHIVED_TAG = "covey.archived"
LABEL_TAGS = "covey.label."  # the beginning of a tag for each label that people gave a run
DATA_TAG = "covey.data"  # which version of its data a run was made with: see lineage.indexing
HUB_TAGS = "covey."  # the beginning of tags that only the hub sets
LOGGED, COMMIT, EXP, DAGSHUB = "mlflow", "commit", "exp", "dagshub"
LABELS = {LOGGED: "MLflow", COMMIT: "Commit", EXP: "DVC experiment", DAGSHUB: "DagsHub files"}
EXPERIMENT = "git"
DESCRIPTION = "Made by the hub from commits with metrics or params, and from experiments of `dvc exp push`."
_VERSION = "8"  # of an RFC 9562 UUID whose bits the maker chose; MLflow's own run ids are version 4


def run_id_of(repository_id: int, sha: str) -> str:
    """The run of a commit: the same each time it is made, and whichever refs lead to the commit."""
    digest = hashlib.sha256(f"{repository_id}:{sha}".encode()).hexdigest()
    return f"{digest[:12]}{_VERSION}{digest[13:16]}a{digest[17:32]}"


def is_tracked(run_id: str) -> bool:
    """Whether a run was made from git: only the hub makes such ids."""
    return len(run_id) == 32 and run_id[12] == _VERSION


def location_of(workspace: str) -> str:
    """The artifacts of the hub's experiment; clients cannot choose such a place."""
    return f"mlflow-artifacts:/workspaces/{workspace}/{EXPERIMENT}"


def is_hubs(artifact_location: str) -> bool:
    """Whether an experiment is the one that the hub fills from git."""
    return artifact_location.endswith(f"/{EXPERIMENT}")
