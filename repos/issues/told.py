"""Entries of a conversation that no person wrote: apps above say how a kind of theirs is shown to one reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from repos.issues.models import Entry


@dataclass(frozen=True)
class Telling:
    """html: the whole article on the page. text: Markdown, for the API. Both get an entry with its issue."""

    html: Callable[[Entry, Actor], SafeString]
    text: Callable[[Entry, Actor], str]


KINDS: dict[str, Telling] = {}
