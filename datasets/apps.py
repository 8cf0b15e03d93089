from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import (  # noqa: F401  register jobs and receivers
            comparing,
            garbage,
            pipeline_jobs,
            receivers,
            scrubbing,
            statistics,
            unfurled,
            usage,
        )
        from datasets.attached import AttachmentKeeper
        from datasets.contents import DvcSource
        from datasets.pull_merging import DataDriver
        from datasets.pull_summary import Data
        from repos import content
        from repos.attachments import keeping
        from repos.pulls import drivers, summaries

        content.register(DvcSource())
        keeping.register(AttachmentKeeper())
        drivers.register(DataDriver())
        summaries.register(Data())
