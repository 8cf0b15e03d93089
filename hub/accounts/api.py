"""The REST API of people: DagsHub's user object."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.accounts.models import User


def user_object(user: User) -> dict[str, Any]:
    """A person as everybody may see them. Text is never null: the client checks types."""
    return {
        "id": user.pk,
        "login": user.username,
        "username": user.username,
        "full_name": user.full_name,
        "avatar_url": "",
        "html_url": f"{settings.COVEY_URL}/{user.username}",
        "public_email": "",
        "website": user.website,
        "company": user.company,
        "description": user.biography,
    }
