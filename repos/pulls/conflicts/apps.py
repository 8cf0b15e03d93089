from django.apps import AppConfig


class ConflictsConfig(AppConfig):
    name = "repos.pulls.conflicts"
    label = "conflicts"

    def ready(self) -> None:
        from repos.pulls.conflicts import listing, resolving  # noqa: F401  # registers the jobs
