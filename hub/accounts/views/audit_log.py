"""Settings → Security log: one's own events; administrators may read everybody's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts import audit, people
from hub.accounts.http import HubRequest
from hub.accounts.models import AuditEvent, AuditEvents
from hub.lib.errors import Invalid
from hub.lib.numbers import whole

PAGE_SIZE = 50
EXPORT_CHUNK = 1000


@login_required
@require_safe
def own(request: HubRequest) -> HttpResponse:
    return _page(request, AuditEvent.objects.of(request.user), everyone=False)


@login_required
@require_safe
def export_own(request: HubRequest) -> StreamingHttpResponse:
    return _export(_filtered(request, AuditEvent.objects.of(request.user)))


@login_required
@require_safe
def everyone(request: HubRequest) -> HttpResponse:
    people.require_administrator(request.actor)
    return _page(request, AuditEvent.objects.all(), everyone=True)


@login_required
@require_safe
def export_everyone(request: HubRequest) -> StreamingHttpResponse:
    people.require_administrator(request.actor)
    audit.record("log.export", request.actor, owner_id=request.user.owner_id, subject="everyone")
    return _export(_filtered(request, AuditEvent.objects.all()))


def _page(request: HubRequest, events: AuditEvents, *, everyone: bool) -> HttpResponse:
    events = _filtered(request, events)
    before = request.GET.get("before", "")
    if before:
        events = events.filter(pk__lt=_number(before))
    rows = list(events.order_by("-pk")[: PAGE_SIZE + 1])
    shown, more = rows[:PAGE_SIZE], len(rows) > PAGE_SIZE
    kept = {name: request.GET[name] for name in ("action", "since", "until", "who") if request.GET.get(name)}
    context = {
        "events": shown,
        "older": shown[-1].pk if more else None,
        "everyone": everyone,
        "filters": kept,
    }
    return render(request, "account/log.html", context)


def _filtered(request: HubRequest, events: AuditEvents) -> AuditEvents:
    """Only these four parameters are read; all others are ignored."""
    asked = request.GET
    if "\0" in asked.get("action", "") + asked.get("who", ""):
        raise Invalid("A filter cannot hold a NUL character.")
    if action := asked.get("action", "").strip():
        events = events.filter(action__startswith=action[:60])
    if who := asked.get("who", "").strip():
        events = events.filter(actor_name__iexact=who[:40])
    if since := asked.get("since", ""):
        events = events.filter(created__date__gte=_day(since))
    if until := asked.get("until", ""):
        events = events.filter(created__date__lte=_day(until))
    return events


def _export(events: AuditEvents) -> StreamingHttpResponse:
    """One JSON object a line, oldest first, with both hashes so that the file can be verified alone."""
    response = StreamingHttpResponse(_lines(events), content_type="application/jsonl")
    response["Content-Disposition"] = 'attachment; filename="covey-audit.jsonl"'
    response["Cache-Control"] = "no-store"
    return response


async def _lines(events: AuditEvents) -> AsyncIterator[bytes]:
    last = 0
    while chunk := await sync_to_async(_chunk)(events, last):
        yield b"".join(json.dumps(audit.as_json(event)).encode() + b"\n" for event in chunk)
        last = chunk[-1].pk


def _chunk(events: AuditEvents, after: int) -> list[AuditEvent]:
    return list(events.filter(pk__gt=after).order_by("pk")[:EXPORT_CHUNK])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text[:40]!r} is not a day.", details="Write it as 2026-11-21.") from error


def _number(text: str) -> int:
    number = whole(text)
    if number is None:
        raise Invalid(f"{text[:40]!r} is not an event.", details="Follow the link at the foot of the page.")
    return number
