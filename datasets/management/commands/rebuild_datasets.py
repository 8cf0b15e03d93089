"""Index again what every repository tracks with DVC: git is the truth, counts and versions are an index."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets.tracked import indexing
from hub.lib.errors import HubError
from hub.lib.objectstore import ObjectStoreError
from repos.git.commands import GitError
from repos.models import Repository

logger = logging.getLogger("covey.datasets")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--missing", action="store_true", help="only commits that are not indexed yet")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for repository_id in Repository.objects.filter(deleted=None).values_list("pk", flat=True).iterator():
            try:
                indexing.refresh(repository_id, again=not options["missing"])
            except (HubError, GitError, ObjectStoreError) as error:
                # One damaged repository must not keep the others from being counted.
                failed += 1
                logger.exception("repository %s was not counted", repository_id)
                self.stderr.write(f"repository {repository_id}: {error}")
        if failed:
            raise CommandError(f"{failed} repositories could not be counted; the log says why.")
