from django.apps import AppConfig


class ReposConfig(AppConfig):
    name = "repos"

    def ready(self) -> None:
        from repos import receivers  # noqa: F401  # registers them
