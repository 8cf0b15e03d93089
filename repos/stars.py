"""A person's mark on a repository they like."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F

from hub.accounts.models import User
from repos.models import Repository, Star


def starred(repository: Repository, user: User | AnonymousUser) -> bool:
    return user.is_authenticated and Star.objects.filter(repository=repository, user=user).exists()


def star(repository: Repository, user: User) -> None:
    """Twice is once."""
    with transaction.atomic():
        _, made = Star.objects.get_or_create(repository=repository, user=user)
        if made:
            Repository.objects.filter(pk=repository.pk).update(stars_count=F("stars_count") + 1)


def unstar(repository: Repository, user: User) -> None:
    """None is fine."""
    with transaction.atomic():
        gone, _ = Star.objects.filter(repository=repository, user=user).delete()
        if gone:
            Repository.objects.filter(pk=repository.pk, stars_count__gt=0).update(stars_count=F("stars_count") - 1)
