from django.apps import AppConfig


class IssuesConfig(AppConfig):
    name = "repos.issues"
    label = "issues"
