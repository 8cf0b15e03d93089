from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "experiments"

    def ready(self) -> None:
        from datasets.storage import usage
        from experiments import receivers, unfurled  # noqa: F401  registers them
        from experiments.pull_summary import Metrics
        from experiments.said import ModelKind, RunKind
        from experiments.space import artifacts
        from repos.issues import threads
        from repos.issues.models import Thread
        from repos.pulls import summaries

        usage.PARTS["Artifacts of runs"] = artifacts
        threads.register(Thread.Kind.RUN, RunKind())
        threads.register(Thread.Kind.MODEL, ModelKind())
        summaries.register(Metrics())
