"""manage.py rebuild_experiments: recount runs and bind them to commits, for every repository."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from experiments.tasks import rebuild_experiments


class Command(BaseCommand):
    help = "Recount runs and bind them to commits, for every repository."

    def handle(self, *args: Any, **options: Any) -> None:
        rebuild_experiments()
        self.stdout.write("experiments rebuilt")
