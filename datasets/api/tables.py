"""/datasets/table/{rev}/{path}: the rows of one version of a table, a hundred at a time."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.views import table as page
from datasets.views.diff import RETRY_SECONDS
from hub.accounts.actor import Area
from repos.api import gate


class TableRows(APIView):
    """The same JSON as the page's `?format=json`: filter=column:op:value, sort=-column, page, part, show, row."""

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        found, asked, rows = page.answer(repository, rest, request.query_params, gate.actor_of(request).user_id)
        code = page.status_code(found, rows)
        headers = {"Retry-After": RETRY_SECONDS} if code == 202 else {}
        return Response(page.shape(found, asked, rows), status=code, headers=headers)
