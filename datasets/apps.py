from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        from datasets import receivers, unfurled  # noqa: F401  register jobs and receivers, as those below
        from datasets.attached import AttachmentKeeper
        from datasets.comparison import comparing, statistics  # noqa: F401
        from datasets.pulls import reviewed  # noqa: F401
        from datasets.pulls.driver import DataDriver
        from datasets.pulls.summary import Data
        from datasets.said.images import ImageKind
        from datasets.said.rows import RowKind
        from datasets.stages import jobs  # noqa: F401
        from datasets.storage import garbage, scrubbing, usage  # noqa: F401
        from datasets.tracked.contents import DvcSource
        from repos import content
        from repos.attachments import keeping
        from repos.issues import threads
        from repos.issues.models import Thread
        from repos.pulls import drivers, summaries

        content.register(DvcSource())
        keeping.register(AttachmentKeeper())
        threads.register(Thread.Kind.ROW, RowKind())
        threads.register(Thread.Kind.IMAGE, ImageKind())
        drivers.register(DataDriver())
        summaries.register(Data())
