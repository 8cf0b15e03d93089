"""Pages and verbs of registered models, and of looking after MLflow's experiments; each verb has its own address."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.views import manage, model_changes, model_version, models

_EXPERIMENTS = "<owner:owner>/<repository:name>/experiments"
_MANAGE = f"{_EXPERIMENTS}/manage"
_MODELS = "<owner:owner>/<repository:name>/models"
_MODEL = f"{_MODELS}/<str:model>"
_VERSION = f"{_MODEL}/versions/<int:number>"
routes: list[URLPattern] = [
    path(_MODELS, models.models, name="models"),
    path(_MODEL, models.model, name="model"),
    path(f"{_MODEL}/compare", models.compare, name="model_compare"),
    path(_VERSION, model_version.version, name="model_version"),
    path(f"{_EXPERIMENTS}/runs/<slug:run_id>/register", model_changes.register, name="register_model"),
    path(f"{_MODEL}/describe", model_changes.describe, name="describe_model"),
    path(f"{_MODEL}/tags", model_changes.set_tag, name="tag_model"),
    path(f"{_MODEL}/tags/remove", model_changes.delete_tag, name="untag_model"),
    path(f"{_MODEL}/aliases", model_changes.set_alias, name="alias_model"),
    path(f"{_MODEL}/aliases/remove", model_changes.delete_alias, name="unalias_model"),
    path(f"{_MODEL}/delete", model_changes.delete, name="delete_model"),
    path(f"{_VERSION}/describe", model_changes.describe, name="describe_version"),
    path(f"{_VERSION}/tags", model_changes.set_tag, name="tag_version"),
    path(f"{_VERSION}/tags/remove", model_changes.delete_tag, name="untag_version"),
    path(f"{_VERSION}/stage", model_changes.set_stage, name="stage_version"),
    path(f"{_VERSION}/delete", model_changes.delete_version, name="delete_version"),
    path(_MANAGE, manage.page, name="manage"),
    path(f"{_MANAGE}/create", manage.create, name="create_experiment"),
    path(f"{_MANAGE}/deleted", manage.deleted, name="manage_deleted"),
    path(f"{_MANAGE}/reclaim", manage.reclaim, name="reclaim"),
    path(f"{_MANAGE}/reclaim/stop", manage.stop, name="reclaim_stop"),
    path(f"{_MANAGE}/<int:experiment_id>/rename", manage.rename, name="rename_experiment"),
    path(f"{_MANAGE}/<int:experiment_id>/describe", manage.describe, name="describe_experiment"),
    path(f"{_MANAGE}/<int:experiment_id>/delete", manage.delete, name="delete_experiment"),
    path(f"{_MANAGE}/<int:experiment_id>/restore", manage.restore, name="restore_experiment"),
]
