from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import comparing, pipeline_jobs, receivers, statistics  # noqa: F401  register jobs and receivers
        from datasets.contents import DvcSource
        from repos import content

        content.register(DvcSource())
