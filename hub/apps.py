from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created


class HubConfig(AppConfig):
    name = "hub"

    def ready(self) -> None:
        # The Celery application must exist in every process: tasks are sent from the web process too.
        from hub import celery  # noqa: F401  # the application tasks are sent with

        if not settings.SQLITE:
            from hub.lib import postgresql

            connection_created.connect(postgresql.exchange_dead)
