"""A link that signs its person in once: the first administrator's way in, so that no password is ever preset.

Nothing is stored: the token is an HMAC over the person's last sign-in, password and address, so the first use of any
link ends all of them. GET only shows a button; mail scanners and previews that follow links sign nobody in.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import base36_to_int
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest
from hub.accounts.models import User
from hub.lib.errors import NotFound

FIRST_ADMINISTRATOR = "admin"
LIFE_SECONDS = 3600
_BACKEND = settings.AUTHENTICATION_BACKENDS[0]


class _Tokens(PasswordResetTokenGenerator):
    key_salt = "hub.sign_in_link"

    def fresh(self, user: User, token: str) -> bool:
        if not self.check_token(user, token):
            return False
        made = base36_to_int(token.partition("-")[0])
        return (datetime.now() - datetime(2001, 1, 1)).total_seconds() - made <= LIFE_SECONDS


_tokens = _Tokens()


def make(user: User) -> str:
    """An address that signs this person in, once, within the hour."""
    return settings.COVEY_URL + reverse("sign-in-link", args=[user.pk, _tokens.make_token(user)])


def for_first_administrator() -> str | None:
    """A link while the hub's administrators have no other way in; None once one of them has set a password."""
    administrators = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    if any(user.has_usable_password() for user in administrators):
        return None
    first = administrators.first() or User.objects.create_superuser(FIRST_ADMINISTRATOR, "", None)
    return make(first)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HubRequest, user_id: int, token: str) -> HttpResponse:
    if request.method != "POST":
        return render(request, "hub/sign_in_link.html", {"person": _owner_of(user_id, token)})
    with transaction.atomic():
        # The row is held until last_login has changed, so of two clicks at once only one signs in.
        person = _owner_of(user_id, token, lock=True)
        User.objects.filter(pk=person.pk).update(last_login=timezone.now())
        person.refresh_from_db()
        audit.record("user.sign_in_by_link", Actor(user=person, address=request.META.get("REMOTE_ADDR", "")))
    login(request, person, backend=_BACKEND)
    return redirect("home")


def _owner_of(user_id: int, token: str, *, lock: bool = False) -> User:
    """Whom this link signs in. Raises NotFound when it was used, is old, or never was one."""
    people = User.objects.select_for_update(of=("self",)) if lock else User.objects.all()
    person = people.filter(pk=user_id, is_active=True).first()
    if person is None or not _tokens.fresh(person, token):
        raise NotFound(
            "This sign-in link was used already or is too old.",
            details="Start the hub again, or run `covey admin sign-in-link NAME`, for a new one.",
        )
    return person
