"""What allauth asks of us: names, links, mail, limits on wrong passwords, and secrets encrypted at rest."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailConfirmation
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse

from hub.accounts import mail, throttle
from hub.accounts.names import check_new_name
from hub.lib.errors import Busy, HubError


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "That name and password do not match.",
        "email_password_mismatch": "That e-mail address and password do not match.",
        "incorrect_password": "That is not your password.",
        "enter_current_password": "That is not your current password.",
        "incorrect_code": "That code is not right. Codes change every 30 seconds; check the clock of your phone.",
        "email_taken": "Another account uses this e-mail address.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP_OPEN

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            return check_new_name(username)
        except HubError as error:
            raise ValidationError(f"{error.message} {error.details}".strip()) from error

    def validation_error(self, code: str, *args: Any) -> Exception:
        """Limits are answered with 429 and Retry-After on every form, not with a line in the form."""
        if code in {"too_many_login_attempts", "rate_limited"}:
            return throttle.too_many_attempts()
        return super().validation_error(code, *args)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The peer's address; the server has already put a trusted proxy's client there."""
        return request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104  # a unix socket has no address

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Wrong passwords count per name and network: nobody can lock a user out from elsewhere."""
        login = (credentials.get("email") or credentials.get("username") or "").lower()
        return f"{login}:{throttle.network_of(self.get_client_ip(request))}"

    # Links in mails name COVEY_URL, never the Host header of whoever asked.
    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.COVEY_URL + path.replace("UID-KEY", key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: EmailConfirmation) -> str:
        return settings.COVEY_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def format_email_subject(self, subject: str) -> str:
        return f"[Covey] {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand the mail to the outbox: a mail server that is slow or down costs the page nothing."""
        mail.announce_mail(self.rendered(template_prefix, email, context))

    def rendered(self, template_prefix: str, email: str, context: dict[str, Any]) -> EmailMessage:
        return self.render_mail(template_prefix, email, {"email": email, "COVEY_URL": settings.COVEY_URL, **context})


class MFAAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def get_totp_label(self, user: Any) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        """The seed of the codes is kept encrypted: a copy of the database alone makes no valid code."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise Busy(
                "The hub cannot read your codes: its SECRET_KEY is not the one they were made under.",
                details="Ask its administrator to set the former one.",
            ) from error


def _fernet() -> Fernet:
    key = hashlib.sha256(b"covey mfa " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
