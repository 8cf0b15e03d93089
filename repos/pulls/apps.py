from django.apps import AppConfig


class PullsConfig(AppConfig):
    name = "repos.pulls"
    label = "pulls"

    def ready(self) -> None:
        from repos.pulls import receivers, verdicts  # noqa: F401  # registers them, and the job
