"""Conditional requests of the REST API (RFC 9110): 304 for what a client has already, 412 for what changed meanwhile.

The tag is of the answer itself, so it changes with whatever is shown: a label's name, a person's, what one may read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.lib.errors import PreconditionFailed
from hub.lib.ranges import named


class ConditionalView(APIView):
    """Its GETs carry an ETag; one that names the same in If-None-Match is answered 304 without a body."""

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method in {"GET", "HEAD"} and response.status_code == 200:
            etag = etag_of(response.data)
            if named(etag, request.headers.get("If-None-Match", "")):
                headers = {name: response[name] for name in ("Link",) if name in response}
                response = Response(status=304, headers=headers)
            response["ETag"] = etag
        return super().finalize_response(request, response, *args, **kwargs)


def require_match(request: Request, shown: Callable[[], Response]) -> None:
    """Before a change that says If-Match: shown() must still be what the client has seen.

    Call it in the transaction of the change, behind the lock of the row. Raises PreconditionFailed.
    """
    given = request.headers.get("If-Match", "")
    if given and not named(etag_of(shown().data), given):
        raise PreconditionFailed(details="GET it again, then decide whether your change still makes sense.")


def etag_of(data: Any) -> str:
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'
