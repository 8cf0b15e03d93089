"""/datasets/table/{rev}/{path}: the rows of one version of a table, a hundred at a time."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import answers
from datasets.views import table as page
from hub.accounts.actor import Area
from repos.api import gate


class TableRows(APIView):
    """The same JSON as the page's `?format=json`: filter=column:op:value, sort=-column, page, part, show, row."""

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        found, asked, rows = page.answer(repository, rest, request.query_params, gate.actor_of(request).user_id)
        state = page.state_of(found, rows)
        answer = page.shape(found, asked, rows)
        return Response(answer, status=answers.status_code(state), headers=answers.headers(state))
