from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import comparing, receivers, statistics  # noqa: F401  register jobs, and what happens after a push
        from datasets.contents import DvcSource
        from repos import content

        content.register(DvcSource())
