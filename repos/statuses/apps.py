from django.apps import AppConfig


class StatusesConfig(AppConfig):
    name = "repos.statuses"
    label = "statuses"
