"""manage.py rebuild_tracked: make the runs of commits and of DVC's experiments again, for every repository."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from experiments.tracked import jobs


class Command(BaseCommand):
    help = "Make the runs of commits and of DVC's experiments again, for every repository."

    def handle(self, *args: Any, **options: Any) -> None:
        if failed := jobs.refresh_all(again=True):
            raise CommandError(f"{failed} repositories could not be read; the log says why.")
        self.stdout.write("experiments in git rebuilt")
