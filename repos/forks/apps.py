from django.apps import AppConfig


class ForksConfig(AppConfig):
    name = "repos.forks"
    label = "forks"

    def ready(self) -> None:
        from repos.forks import copying, syncing  # noqa: F401  registers their jobs
