"""`covey worker` and `covey beat`: Celery without its banner, sized for the machine."""

from __future__ import annotations

import logging
import warnings

from django.conf import settings


def worker() -> int:
    """Run background tasks until told to stop. Threads, not processes: heavy work starts limited children itself."""
    import django

    django.setup(set_prefix=False)
    from celery.signals import worker_shutting_down

    from hub.celery import app
    from hub.jobs import jobs

    def stop(**_: object) -> None:
        jobs.stop()

    worker_shutting_down.connect(stop, weak=False)
    # Celery warns of pickle under root; only JSON is accepted here.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)  # a line per task says nothing
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={settings.COVEY_WORKER_THREADS}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
    return 0


def beat() -> int:
    """Send the periodic tasks. One of these per hub."""
    import django

    django.setup(set_prefix=False)
    from hub.celery import app

    folder = settings.COVEY_HOME / "beat"
    folder.mkdir(mode=0o700, exist_ok=True)
    app.Beat(
        schedule=str(folder / "schedule"), scheduler="hub.jobs.schedule:Scheduler", quiet=True, redirect_stdouts=False
    ).run()
    return 0
