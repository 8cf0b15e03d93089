from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "repos.reviews"
    label = "reviews"

    def ready(self) -> None:
        from repos.attachments import strays
        from repos.issues import threads
        from repos.issues.models import Thread
        from repos.pulls import beside
        from repos.reviews import standing, written  # noqa: F401  # registers what it asks before a merge
        from repos.reviews.below import below
        from repos.reviews.lines import LineKind
        from repos.reviews.placing import said_beside

        strays.TEXTS.append(written.texts_since)
        threads.register(Thread.Kind.LINE, LineKind())
        threads.register_below(Thread.Kind.LINE, below)
        beside.register(said_beside)
