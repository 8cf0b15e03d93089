"""manage.py verify_audit: walk the audit chain; exit 1 and name the first event that does not hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.accounts import audit
from hub.accounts.models import AuditEvent


class Command(BaseCommand):
    help = "Verify the hash chain of the audit log. Note the printed hash elsewhere and pass it as --contains later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--contains",
            metavar="HASH",
            help="also fail when the event with this hash is gone (events cut off the end)",
        )

        parser.add_argument("--export", metavar="FILE", help="also fail when a line of this export was altered")

    def handle(self, *args: Any, **options: Any) -> None:
        if broken := audit.first_broken():
            raise CommandError(
                f"Event {broken.pk} ({broken.action}, {broken.created.isoformat()}) does not hold: "
                "it or the event before it was changed or removed.",
                returncode=1,
            )
        if options["contains"] and not AuditEvent.objects.filter(hash=options["contains"]).exists():
            raise CommandError(f"No event has the hash {options['contains']}: events were cut off.", returncode=1)
        if options["export"]:
            self._verify_export(options["export"])
        head = AuditEvent.objects.order_by("-pk").values_list("hash", flat=True).first()
        self.stdout.write(f"{AuditEvent.objects.count()} events hold. Last: {head or audit.GENESIS}")

    def _verify_export(self, name: str) -> None:
        try:
            with open(name, "rb") as file:
                forged = audit.first_forged(file)
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
        if forged:
            raise CommandError(f"Line {forged} of {name} is not what the hub wrote down.", returncode=1)
        self.stdout.write(f"Every line of {name} is what the hub wrote down.")
