from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "hub"

    def ready(self) -> None:
        # The Celery application must exist in every process: tasks are sent from the web process too.
        from hub import celery  # noqa: F401  # the application tasks are sent with
