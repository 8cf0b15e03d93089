from django.apps import AppConfig


class ProtectionConfig(AppConfig):
    name = "repos.protection"
    label = "protection"

    def ready(self) -> None:
        from repos.protection import attempts, checks, receivers  # noqa: F401  # registers them, and the job
