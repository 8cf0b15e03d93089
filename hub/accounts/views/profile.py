"""Settings → Profile: what others see of you, and how the hub looks to you."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.accounts import audit
from hub.accounts.forms import ProfileForm
from hub.accounts.http import HubRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HubRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        if changed := [name for name in form.changed_data if name != "scheme"]:
            audit.record("profile.change", request.actor, owner_id=request.user.owner_id, after=changed)
        messages.success(request, "Your profile is saved.")
        return redirect("settings_profile")
    status = 422 if form.errors else 200
    return render(request, "account/profile.html", {"form": form}, status=status)
