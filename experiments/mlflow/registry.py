"""Changes of registered models, done by MLflow's own registry store as through the mount. Each is one transaction."""

from __future__ import annotations

from experiments.mlflow.inside import stores


def register(repository_id: int, *, user: str, name: str, source: str, run_id: str, description: str) -> int:
    """The number of the new version; the model is made when it is new. source: an address of this hub's artifacts."""
    from mlflow.exceptions import MlflowException

    with stores(repository_id, user=user) as (_, registry):
        try:
            registry.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = registry.create_model_version(name, source, run_id, description=description or None)
        return int(made.version)


def describe_model(repository_id: int, *, user: str, name: str, text: str) -> None:
    with stores(repository_id, user=user) as (_, registry):
        registry.update_registered_model(name, text)


def describe_version(repository_id: int, *, user: str, name: str, version: int, text: str) -> None:
    with stores(repository_id, user=user) as (_, registry):
        registry.update_model_version(name, version, text)


def set_alias(repository_id: int, *, user: str, name: str, alias: str, version: int) -> None:
    with stores(repository_id, user=user) as (_, registry):
        registry.set_registered_model_alias(name, alias, version)


def delete_alias(repository_id: int, *, user: str, name: str, alias: str) -> None:
    with stores(repository_id, user=user) as (_, registry):
        registry.delete_registered_model_alias(name, alias)


def set_tag(repository_id: int, *, user: str, name: str, version: int | None, key: str, value: str) -> None:
    """Of a version, or of the model when there is none."""
    with stores(repository_id, user=user) as (_, registry):
        from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag

        if version is None:
            registry.set_registered_model_tag(name, RegisteredModelTag(key, value))
        else:
            registry.set_model_version_tag(name, version, ModelVersionTag(key, value))


def delete_tag(repository_id: int, *, user: str, name: str, version: int | None, key: str) -> None:
    with stores(repository_id, user=user) as (_, registry):
        if version is None:
            registry.delete_registered_model_tag(name, key)
        else:
            registry.delete_model_version_tag(name, version, key)


def set_stage(repository_id: int, *, user: str, name: str, version: int, stage: str, archive: bool) -> None:
    """archive: versions that are in this stage become Archived."""
    with stores(repository_id, user=user) as (_, registry):
        registry.transition_model_version_stage(name, version, stage, archive)


def delete_version(repository_id: int, *, user: str, name: str, version: int) -> None:
    with stores(repository_id, user=user) as (_, registry):
        registry.delete_model_version(name, version)


def delete_model(repository_id: int, *, user: str, name: str) -> None:
    with stores(repository_id, user=user) as (_, registry):
        registry.delete_registered_model(name)
