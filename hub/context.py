"""What every template may use."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def hub(request: HttpRequest) -> dict[str, Any]:
    return {"COVEY_URL": settings.COVEY_URL, "COVEY_HOST": urlsplit(settings.COVEY_URL).netloc}
