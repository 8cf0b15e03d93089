from django.apps import AppConfig


class PullsConfig(AppConfig):
    name = "repos.pulls"
    label = "pulls"

    def ready(self) -> None:
        from repos.pulls import drafts, receivers, verdicts  # noqa: F401  # registers a requirement, them, and the job
