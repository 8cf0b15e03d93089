"""What the worker does for people: deliver mail."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import EmailMessage

from hub.accounts.mail import MAIL, RESET_ASKED
from hub.jobs.outbox import receiver

MOST_ACCOUNTS = 5  # unverified twins of one address; more would make us a mail cannon


@receiver(MAIL)
def deliver_mail(payload: dict[str, Any]) -> None:
    EmailMessage(payload["subject"], payload["body"], to=[payload["to"]]).send()


@receiver(RESET_ASKED)
def deliver_reset(payload: dict[str, Any]) -> None:
    """Mail a reset link to the address on file, for each account that has it; nothing when nobody does.

    The link is made here and never stored. A verified address wins over an unverified twin.
    """
    users = filter_users_by_email(payload["email"], is_active=True, prefer_verified=True, for_login=True)
    adapter = get_adapter()
    for user in sorted(users, key=lambda user: user.pk)[:MOST_ACCOUNTS]:
        key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
        context = {"user": user, "password_reset_url": adapter.get_reset_password_from_key_url(key)}
        adapter.rendered("account/email/password_reset_key", payload["email"].lower(), context).send()
