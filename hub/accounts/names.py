"""Which names a new owner may take: one allow-list, minus every first segment of the hub's own URLs."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from django.urls import URLPattern, URLResolver, get_resolver

from hub.accounts.models import Owner
from hub.lib import names
from hub.lib.errors import Conflict

# Not URLs today, but a stranger who takes them could pass for the hub or for nobody, or block a later page.
ALWAYS_RESERVED = frozenset(
    """about account admins anonymous api assets blog contact dashboard docs download explore ghost groups help hub
    inbox issues login logout me media metrics new none notifications null organisations organizations orgs
    pricing privacy public pulls raw register repos robots search security self settings signin signup stars
    static status support system terms topics undefined user users www""".split()  # noqa: SIM905  # a list of words reads best as words
)
_LITERAL = re.compile(r"\^?([A-Za-z0-9_.-]+)")


def check_new_name(name: str) -> str:
    """The name itself, when a new user or organisation may have it. Raises Unprocessable or Conflict."""
    names.check_owner_name(name, reserved=reserved_names())
    if Owner.objects.filter(name_key=name.lower()).exists():
        raise Conflict(f"The name '{name}' is taken.", details="Choose another name; capitals make no difference.")
    return name


@functools.lru_cache(maxsize=1)
def reserved_names() -> frozenset[str]:
    """Lower-case names nobody may take: derived from the root URLs, so a new page reserves its own name."""
    return ALWAYS_RESERVED | frozenset(_first_segments(get_resolver().url_patterns))


def _first_segments(patterns: Iterable[URLPattern | URLResolver]) -> set[str]:
    found: set[str] = set()
    for entry in patterns:
        route = str(entry.pattern)
        if match := _LITERAL.match(route):
            found.add(match.group(1).lower())
        elif isinstance(entry, URLResolver) and route in {"", "^"}:
            found |= _first_segments(entry.url_patterns)
    return found
