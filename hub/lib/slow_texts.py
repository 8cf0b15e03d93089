"""Markdown of what people say: a text that once took all the time there is for one is not tried at every view."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.cache import cache
from django.utils.safestring import SafeString

from hub.lib import markdown

SLOW_SECONDS = 24 * 3600  # until a text is tried again: perhaps only the hub was busy


def render(text: str, *, seconds: float = markdown.SECONDS, **options: Any) -> SafeString:
    """As markdown.render. seconds: what is left of the page's; with less than a text may have, nothing is learnt."""
    slow = f"markdown:slow:{markdown.VERSION}:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:32]}"
    if cache.get(slow):
        return markdown.source(text, markdown.TOO_SLOW)
    try:
        return markdown.render(text, seconds=min(seconds, markdown.SECONDS), strict=True, **options)
    except markdown.OutOfTime:
        if seconds >= markdown.SECONDS:
            cache.set(slow, True, SLOW_SECONDS)
        return markdown.source(text, markdown.TOO_SLOW)
