from django.apps import AppConfig


class PullsConfig(AppConfig):
    name = "repos.pulls"
    label = "pulls"

    def ready(self) -> None:
        from repos.pulls import drafts, keeping, receivers, summaries, testmerges, verdicts  # noqa: F401  # they register
