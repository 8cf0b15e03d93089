"""Every security act of a person, written to the audit trail as it happens. Connected in AccountsConfig.ready()."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User


def _record(action: str, request: HttpRequest | None, user: User | None, **values: Any) -> None:
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    actor = Actor(user=user, session=True, address=address)
    values.setdefault("subject", user.username if user else "")
    audit.record(action, actor, owner_id=user.owner_id if user else None, **values)


@receiver(account.user_signed_up)
def signed_up(request: HttpRequest, user: User, **_: Any) -> None:
    _record("user.sign_up", request, user)


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    _record("user.sign_in", request, user)


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        _record("user.sign_out", request, user)


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """The typed name is kept only when it is a user's: people type passwords into that field by mistake."""
    login = str(credentials.get("email") or credentials.get("username") or "").lower()
    found = User.objects.filter(Q(owner__name_key=login) | Q(email=login)).order_by("pk").first() if login else None
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    audit.record(
        "user.sign_in_failed",
        Actor(address=address),
        subject=found.username if found else "",
        owner_id=found.owner_id if found else None,
    )


@receiver(account.password_changed)
@receiver(account.password_set)
def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    _record("password.change", request, user)


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    _record("password.reset", request, user)


@receiver(account.email_added)
def email_added(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    _record("email.add", request, user, after=email_address.email)


@receiver(account.email_removed)
def email_removed(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    _record("email.remove", request, user, before=email_address.email)


@receiver(account.email_changed)
def email_changed(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_: Any,
) -> None:
    before = from_email_address.email if from_email_address else None
    _record("email.change", request, user, before=before, after=to_email_address.email)


@receiver(account.email_confirmed)
def email_confirmed(request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    _record("email.confirm", request, email_address.user, after=email_address.email)


def _of_factor(verb: str) -> Callable[..., None]:
    def note(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
        _record(f"{authenticator.type}.{verb}", request, user)

    return note


for signal, verb in (
    (mfa.authenticator_added, "add"),
    (mfa.authenticator_removed, "remove"),
    (mfa.authenticator_reset, "reset"),
    (mfa.authenticator_used, "use"),
    (mfa.authentication_failed, "fail"),
):
    signal.connect(_of_factor(verb), weak=False)
