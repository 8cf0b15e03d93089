from django.apps import AppConfig


class IssuesConfig(AppConfig):
    name = "repos.issues"
    label = "issues"

    def ready(self) -> None:
        from repos.attachments import strays
        from repos.issues import written

        strays.TEXTS.append(written.texts_since)
