"""The code after the password."""

from __future__ import annotations

from allauth.mfa.base import views as mfa
from django.http import HttpResponse

from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid


def authenticate(request: HubRequest) -> HttpResponse:
    """allauth takes a form without a code for a security key, which we do not offer."""
    if request.method == "POST" and "code" not in request.POST:
        raise Invalid("The form holds no code.", details="Type the six digits your authenticator app shows.")
    return mfa.authenticate(request)
