from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "repos.reviews"
    label = "reviews"

    def ready(self) -> None:
        from repos.issues import threads
        from repos.issues.models import Thread
        from repos.reviews.lines import LineKind

        threads.register(Thread.Kind.LINE, LineKind())
