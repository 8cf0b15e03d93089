from django.apps import AppConfig


class IssuesConfig(AppConfig):
    name = "repos.issues"
    label = "issues"

    def ready(self) -> None:
        from repos.attachments import strays
        from repos.issues import quoting, written  # noqa: F401  registers how lines are shown

        strays.TEXTS.append(written.texts_since)
