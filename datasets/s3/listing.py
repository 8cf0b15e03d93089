"""Keys of a bucket in the order of their bytes, a page at a time, with what lies below a delimiter folded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from datasets import objects
from datasets.models import StoredObject

_STEP = 100  # rows read at once while folding: a folder of a million files costs one such step


@dataclass(frozen=True)
class Item:
    key: str
    etag: str
    size: int
    created: datetime
    told: datetime | None = None


@dataclass
class Page:
    """objects and prefixes, each in order. last: what the next page begins after; "" when there is none."""

    objects: list[Item] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""


def page(repository_id: int, bucket: str, *, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """At most limit objects and prefixes that come after a key (or after everything below a prefix told before)."""
    rows = objects.whole(repository_id, bucket)
    return fold(lambda start, over, count: _read(rows, prefix, start, over, count), prefix, delimiter, after, limit)


def told_page(repository_id: int, bucket: str, **asked: Any) -> Page:
    """page(), for somebody who may push and will not send what it lists."""
    while True:
        found = page(repository_id, bucket, **asked)
        if objects.tell_all(repository_id, bucket, {item.key: item for item in found.objects}):
            return found


def _read(rows: QuerySet[StoredObject], prefix: str, start: str, over: bool, count: int) -> list[Item]:
    """The next rows below the prefix: from start on, or over (after) it."""
    found = rows.filter(key__gt=start) if over else rows.filter(key__gte=start)
    if prefix:
        found = found.filter(key__gte=prefix)
        if (end := successor(prefix)) is not None:
            found = found.filter(key__lt=end)
    values = found.order_by("key").values_list("key", "etag", "blob__size", "created", "told")[:count]
    return [Item(*value) for value in values]


def fold(read: Callable[[str, bool, int], list[Item]], prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """read(start, over, count): items in order with key > start (over) or >= start."""
    made = Page()
    start, over = after, bool(after)
    if after and (end := _end_of(after, prefix, delimiter)) is not None:
        start, over = end, False
    room = limit
    while room:
        count = min(_STEP, room + 1) if delimiter else room + 1
        items = read(start, over, count)
        jumped = False
        for item in items:
            group = group_of(item.key, prefix, delimiter)
            if group and made.prefixes and made.prefixes[-1] == group:
                continue  # within a folder that is told already; the rows after it may be in this step too
            if not room:
                return made
            room -= 1
            if group:
                made.prefixes.append(group)
                made.last = group
            else:
                made.objects.append(item)
                made.last = item.key
        if len(items) < count:
            made.last = ""
            return made
        tail = group_of(items[-1].key, prefix, delimiter)
        if tail and (end := successor(tail)) is not None:
            start, over, jumped = end, False, True
        elif tail:  # nothing can come after it
            made.last = ""
            return made
        if not jumped:
            start, over = items[-1].key, True
    if limit and not read(start, over, 1):
        made.last = ""
    return made


def group_of(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix that a key is folded into, "" for none."""
    if not delimiter:
        return ""
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else ""


def _end_of(after: str, prefix: str, delimiter: str) -> str | None:
    """Where the next page begins when the last one ended with a folder."""
    if after.startswith(prefix) and group_of(after, prefix, delimiter) == after:
        return successor(after)
    return None


def successor(prefix: str) -> str | None:
    """The first text after everything that begins with prefix, in the order of UTF-8; None when there is none."""
    while prefix:
        code = ord(prefix[-1]) + 1
        if code <= 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)
        prefix = prefix[:-1]
    return None
