"""Mail leaves by the outbox: durable, retried, and no page waits for a mail server."""

from __future__ import annotations

from django.core.mail import EmailMessage

from hub.jobs import outbox

MAIL = "accounts.mail"  # {"to", "subject", "body"}
RESET_ASKED = "accounts.reset_asked"  # {"email"}: somebody typed this address; the worker looks whether it is known


def announce_mail(message: EmailMessage) -> None:
    for address in message.to:
        outbox.announce(MAIL, {"to": address, "subject": message.subject, "body": message.body})


def announce_reset(email: str) -> None:
    """The same row for a known and an unknown address, so that the answer and its time tell nothing."""
    outbox.announce(RESET_ASKED, {"email": email})
