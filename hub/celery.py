"""The Celery application: `celery -A hub worker`, `celery -A hub beat`."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

TRANSPORT_ALIASES["filesystem"] = "hub.jobs.folder_broker:Transport"  # the same, safe against kill -9
app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "relay-outbox": {"task": "hub.jobs.tasks.relay_outbox", "schedule": 15.0},
    "relay-jobs": {"task": "hub.jobs.tasks.relay_jobs", "schedule": 15.0},
    "reconcile-pushes": {"task": "repos.tasks.reconcile_pushes", "schedule": 30.0},
    "reconcile-merges": {"task": "repos.pulls.tasks.reconcile_merges", "schedule": 30.0},
    "tidy-repositories": {"task": "repos.tasks.tidy_repositories", "schedule": 3600.0},
    "maintain-left": {"task": "repos.tasks.maintain_left", "schedule": 1800.0},
    "sweep-attachments": {"task": "repos.attachments.tasks.sweep_attachments", "schedule": 3600.0},
    "sweep-store": {"task": "datasets.tasks.sweep_store", "schedule": 1200.0},
    "remove-objects": {"task": "datasets.tasks.remove_leftovers", "schedule": 600.0},
    "remove-experiments": {"task": "experiments.tasks.remove_leftovers", "schedule": 600.0},
    "recount-runs": {"task": "experiments.tasks.recount_runs", "schedule": 600.0},
    "complete-tracked": {"task": "experiments.tasks.complete_tracked", "schedule": 300.0},
    "rebuild-tracked": {"task": "experiments.tasks.rebuild_tracked", "schedule": crontab(hour=4, minute=0)},
    "sweep-results": {"task": "datasets.tasks.sweep_results", "schedule": 3600.0},
    "forget-jobs": {"task": "hub.jobs.tasks.forget_jobs", "schedule": crontab(hour=3, minute=10)},
    "forget-answers": {"task": "hub.jobs.tasks.forget_answers", "schedule": 3600.0},
    "scrub": {"task": "datasets.tasks.scrub", "schedule": 120.0},
    "recount-storage": {"task": "datasets.tasks.recount_storage", "schedule": crontab(hour=3, minute=50)},
    "remove-unnamed": {"task": "datasets.tasks.remove_unnamed", "schedule": crontab(hour=3, minute=30)},
    "rebuild-datasets": {"task": "datasets.tasks.rebuild_datasets", "schedule": crontab(hour=3, minute=20)},
    "rebuild-experiments": {"task": "experiments.tasks.rebuild_experiments", "schedule": crontab(hour=3, minute=40)},
}
