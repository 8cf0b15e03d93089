from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hub.demo import seeding
from hub.lib.errors import HubError


class Command(BaseCommand):
    help = "Make the demo repository demo/bird-counter."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="only when it was never made before")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            seeding.seed_once()
            return
        try:
            self.stdout.write(f"made {seeding.seed().full_name}")
        except HubError as error:
            self.stderr.write(f"covey: {error.message} {error.details}")
            raise SystemExit(2) from error
