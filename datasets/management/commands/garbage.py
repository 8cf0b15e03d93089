"""List the data of a repository that no ref leads to, and with --remove remove it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets import results
from datasets.storage import care, garbage
from datasets.storage.garbage_list import GarbageList
from hub.accounts.actor import Actor
from hub.jobs import jobs
from hub.jobs.models import Job
from repos.models import Repository

PAGE_ROWS = 1_000


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("repository", metavar="OWNER/NAME")
        parser.add_argument("--remove", action="store_true", help="remove what is listed")

    def handle(self, *args: Any, **options: Any) -> None:
        repository = _found(options["repository"])
        actor = Actor(address="console")
        found = _done(care.ask(garbage.LOOK, repository, actor))
        listed = GarbageList(results.list_place(repository.pk, found["list"]))
        start = 0
        while rows := listed.page(start, PAGE_ROWS):
            self.stdout.writelines(f"{row.key}\t{row.size}" for row in rows)
            start += len(rows)
        told = f"{found['objects']:,} of {found['of']:,} objects, {found['bytes']:,} bytes"
        if not options["remove"]:
            self.stderr.write(f"{told}, are needed by nothing. Nothing was removed; --remove does.")
            return
        gone = _done(care.ask(garbage.COLLECT, repository, actor, list=found["list"]))
        self.stderr.write(f"Removed {gone['objects']:,} objects, {gone['bytes']:,} bytes.")


def _found(full_name: str) -> Repository:
    owner, _, name = full_name.lower().partition("/")
    rows = Repository.objects.select_related("owner").filter(owner__name_key=owner, name_key=name, deleted=None)
    repository = rows.first()
    if repository is None:
        raise CommandError(f"No repository is named {full_name}. Write it as OWNER/NAME.")
    return repository


def _done(job: Job) -> dict[str, Any]:
    """Do it here and now, unless a worker was quicker; its result."""
    while job.state in jobs.OPEN:
        jobs.run(job.pk)
        job.refresh_from_db()
    if job.state != jobs.State.DONE:
        raise CommandError(job.error or "It was stopped.")
    return dict(job.result or {})
