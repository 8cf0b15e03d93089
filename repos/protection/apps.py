from django.apps import AppConfig


class ProtectionConfig(AppConfig):
    name = "repos.protection"
    label = "protection"

    def ready(self) -> None:
        from repos.issues import query
        from repos.protection import attempts, checks, receivers  # noqa: F401  # registers them, and the job
        from repos.protection.models import ReviewRequest

        asked = ReviewRequest.objects.values("pull_id")
        query.register("review-requested", lambda user_id: asked.filter(user_id=user_id))
