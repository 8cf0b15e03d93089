"""manage.py rebuild_experiments: recount and bind runs and index stages again, for every repository."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from experiments.tasks import rebuild_experiments


class Command(BaseCommand):
    help = "Recount runs, bind them to commits and index what lineage is made from, for every repository."

    def handle(self, *args: Any, **options: Any) -> None:
        if failed := rebuild_experiments(again=True):
            raise CommandError(f"{failed} repositories could not be read; the log says why.")
        self.stdout.write("experiments rebuilt")
