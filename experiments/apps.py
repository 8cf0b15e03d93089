from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "experiments"

    def ready(self) -> None:
        from datasets import usage
        from experiments import receivers, unfurled  # noqa: F401  registers them
        from experiments.space import artifacts

        usage.PARTS["Artifacts of runs"] = artifacts
