from django.apps import AppConfig


class ForksConfig(AppConfig):
    name = "repos.forks"
    label = "forks"

    def ready(self) -> None:
        from repos.forks import copying  # noqa: F401  registers the job
