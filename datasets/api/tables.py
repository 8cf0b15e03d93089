"""/datasets/table/{rev}/{path}: the rows of one version of a table, a hundred at a time."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import answers
from datasets.answers import Answer, RevObject
from datasets.views import table as page
from hub.accounts.actor import Area
from repos.api import gate


class ColumnObject(TypedDict):
    name: str
    type: str
    kind: str


class RowObject(TypedDict):
    """row: its number in the file, from 1. cells: text or null, in the order of columns."""

    row: int
    cells: list[str | None]


class TableObject(Answer):
    rev: RevObject
    path: str
    missing: list[Any]
    format: NotRequired[str]
    notes: NotRequired[list[str]]
    total_rows: NotRequired[int | None]
    total_columns: NotRequired[int]
    columns: NotRequired[list[ColumnObject]]
    filters: NotRequired[list[str]]
    sort: NotRequired[list[str]]
    page: NotRequired[int]
    pages: NotRequired[int]
    per_page: NotRequired[int]
    total: NotRequired[int]
    rows: NotRequired[list[RowObject]]


class TableRows(APIView):
    """The same JSON as the page's `?format=json`: filter=column:op:value, sort=-column, page, part, show, row."""

    answers = {"get": dict.fromkeys((200, 202), TableObject)}
    queries = {"get": {"filter": str, "sort": str, "page": int, "part": int, "show": str, "row": int}}

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        found, asked, rows = page.answer(repository, rest, request.query_params, gate.actor_of(request).user_id)
        state = page.state_of(found, rows)
        answer = page.shape(found, asked, rows)
        return Response(answer, status=answers.status_code(state), headers=answers.headers(state))
