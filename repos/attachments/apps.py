from django.apps import AppConfig


class AttachmentsConfig(AppConfig):
    name = "repos.attachments"
    label = "attachments"
