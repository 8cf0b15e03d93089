"""Settings → Access tokens: make, list, revoke."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hub.accounts import tokens
from hub.accounts.actor import Actor, Area
from hub.accounts.http import HubRequest
from hub.accounts.models import AccessToken
from hub.lib.errors import NotFound
from hub.lib.paging import page_of
from repos import access
from repos.access import Access

AREAS = {
    Area.REPO: ("Code", "git, files, repository settings"),
    Area.DATA: ("Data", "DVC push and pull, S3 programs"),
    Area.EXPERIMENTS: ("Experiments", "MLflow runs and models"),
    Area.ISSUES: ("Issues", "issues and pull requests"),
    Area.ACCOUNT: ("Account", "your profile and access tokens"),
}
LEVELS = [("", "none"), ("read", "read"), ("write", "read and write")]
PAGE_SIZE = 50


class BoundedForm(forms.Form):
    """How far and how long something made here reaches."""

    repository = forms.CharField(
        label="Only for the repository",
        required=False,
        max_length=150,
        help_text="owner/name, or empty for all you can reach.",
    )
    days = forms.IntegerField(
        label="Days it lives",
        min_value=1,
        max_value=tokens.MAXIMUM_DAYS,
        initial=tokens.DEFAULT_DAYS,
        help_text=f"At most {tokens.MAXIMUM_DAYS}.",
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor

    def clean_repository(self) -> int | None:
        return reachable(self.actor, self.cleaned_data["repository"])


class TokenForm(BoundedForm):
    name = forms.CharField(label="Name", max_length=100, help_text="Where it is used, e.g. laptop or training server.")

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        for area, (label, help_text) in AREAS.items():
            self.fields[f"scope_{area}"] = forms.ChoiceField(
                label=label,
                choices=LEVELS,
                required=False,
                initial="" if area is Area.ACCOUNT else "write",
                help_text=help_text,
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["scopes"] = [f"{area}:{data[f'scope_{area}']}" for area in AREAS if data.get(f"scope_{area}")]
        if not data["scopes"]:
            raise forms.ValidationError("Choose at least one thing the token may do.")
        return data

    def scope_fields(self) -> list[forms.BoundField]:
        return [self[f"scope_{area}"] for area in AREAS]


class PairForm(BoundedForm):
    """An S3 key pair: it reaches data only."""

    prefix = "pair"
    name = forms.CharField(label="Name", max_length=100, help_text="Which program uses it, e.g. rclone or Spark.")
    level = forms.ChoiceField(label="Data", choices=LEVELS[1:], initial="write")


def reachable(actor: Actor, full_name: str) -> int | None:
    """The id of a repository the actor may read; any other is told as absent. Raises ValidationError."""
    wanted = full_name.strip()
    if not wanted:
        return None
    owner, _, name = wanted.partition("/")
    try:
        return access.repository_for(actor, owner, name, need=Access.READ, area=Area.REPO).pk
    except (NotFound, access.Moved) as error:
        raise forms.ValidationError("You can reach no repository of that name. Write it as owner/name.") from error


@login_required
@require_safe
def index(request: HubRequest) -> HttpResponse:
    return _page(request, TokenForm(request.actor, initial=_asked(request)))


@login_required
@require_POST
@never_cache
def create(request: HubRequest) -> HttpResponse:
    """The answer itself shows the secret: it is kept nowhere, so there is no page to come back to."""
    form = TokenForm(request.actor, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    data = form.cleaned_data
    row, secret = tokens.mint(
        request.actor,
        name=data["name"],
        scopes=data["scopes"],
        repository_id=data["repository"],
        days=data["days"],
    )
    return _page(request, TokenForm(request.actor), made=row, secret=secret)


@login_required
@require_POST
@never_cache
def create_pair(request: HubRequest) -> HttpResponse:
    """As create: the two keys are in this answer only."""
    form = PairForm(request.actor, request.POST)
    if not form.is_valid():
        return _page(request, TokenForm(request.actor), pair_form=form, status=422)
    data = form.cleaned_data
    row, key_id = tokens.mint(
        request.actor,
        name=data["name"],
        scopes=[f"{Area.DATA}:{data['level']}"],
        repository_id=data["repository"],
        days=data["days"],
        pair=True,
    )
    return _page(request, TokenForm(request.actor), made=row, key_id=key_id, secret=tokens.secret_of(key_id))


@login_required
@require_POST
def revoke(request: HubRequest, token_id: int) -> HttpResponse:
    row = tokens.revoke(request.actor, token_id)
    messages.success(request, f"The token “{row.name}” is revoked. What uses it is refused from now on.")
    return redirect("settings_tokens")


def _page(
    request: HubRequest,
    form: TokenForm,
    *,
    pair_form: PairForm | None = None,
    made: AccessToken | None = None,
    key_id: str = "",
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    live = tokens.of(request.actor).filter(revoked=None, expires__gt=timezone.now())
    live = live.select_related("repository__owner").order_by("-pk")
    page = page_of(live, request.GET.get("page", "1"), PAGE_SIZE)
    pair = pair_form or PairForm(request.actor, initial=_asked(request))
    context = {"form": form, "pair_form": pair, "page": page, "made": made, "key_id": key_id, "secret": secret}
    return render(request, "account/tokens.html", context, status=status)


def _asked(request: HubRequest) -> dict[str, str]:
    """A link may fill in the repository; nothing else is read from the address."""
    return {"repository": request.GET.get("repository", "")[:150]}
