from django.apps import AppConfig


class PullsConfig(AppConfig):
    name = "repos.pulls"
    label = "pulls"

    def ready(self) -> None:
        from repos.pulls import receivers  # noqa: F401  # registers them
