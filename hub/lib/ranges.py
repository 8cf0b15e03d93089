"""Answer GET and HEAD of immutable bytes: Range, If-None-Match, If-Range, and nothing read for a client that left."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from hub.lib.errors import HubError
from hub.lib.streams import Headers, Request

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_BODY_LIMIT_BYTES = 64 * 1024


class RangeNotSatisfiable(HubError):
    code = 416
    message = "The range lies outside of the file."


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """(start, end) with end exclusive; None means the whole file, as for a header that is malformed or has several
    ranges (RFC 9110 lets a server ignore those). Raises RangeNotSatisfiable."""
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return start, end


async def serve(
    request: Request,
    read: Callable[[int, int], AsyncIterator[bytes]],
    *,
    size: int,
    etag: str,
    headers: Headers = (),
    as_part: bool = False,
) -> None:
    """Send the bytes read(start, end) gives, lazily. etag: with its quotes, unique to these bytes.

    as_part: the whole as a range of itself, for a client that asked for the only part there is.

    Raises RangeNotSatisfiable, and ClientGone when the client hangs up.
    """
    async for _ in request.body(limit_bytes=_BODY_LIMIT_BYTES):
        pass  # a GET has none; once it is read, the client's leaving can be noticed
    fields = [*headers, ("accept-ranges", "bytes"), ("etag", etag)]
    if named(etag, request.headers.get("if-none-match", "")):
        return await request.respond_empty(304, fields)
    asked = request.headers.get("range", "")
    if asked and request.headers.get("if-range", etag) != etag:
        asked = ""
    part = parse_range(asked, size) if asked else (0, size) if as_part and size else None
    start, end = part or (0, size)
    if part:
        fields.append(("content-range", f"bytes {start}-{end - 1}/{size}"))
    fields.append(("content-length", str(end - start)))
    status = 206 if part else 200
    if request.method == "HEAD":
        return await request.respond_empty(status, fields)
    if end == start:
        return await request.respond_empty(status, fields)
    async with aclosing(read(start, end)) as stream:  # type: ignore[type-var]  # every reader is a generator
        # Before the status line: a store that is away is an error with words, not a success that breaks off.
        first = await anext(stream, b"")
        await request.start(status, fields)
        await request.write(first)
        async for piece in stream:
            await request.write(piece)
    await request.finish()


def named(etag: str, header: str) -> bool:
    """Whether If-None-Match or If-Match names this etag; compression makes tags weak on their way, and they name the
    same answer."""
    names = [name.strip().removeprefix("W/") for name in header.split(",")]
    return etag in names or header.strip() == "*"
