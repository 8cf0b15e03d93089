"""/storage: the repository's buckets, in DagsHub's form."""

from __future__ import annotations

from typing import TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import storages as buckets
from datasets.storages import PAGE_ENTRIES, BucketObject
from hub.accounts.actor import Area
from hub.lib.api import whole_number
from hub.lib.errors import Invalid, NotFound
from repos.api import gate
from repos.api.contents import EntryObject


class StoragePage(TypedDict):
    """next_token: asks for the next page; null at the end."""

    entries: list[EntryObject]
    limit: int
    next_token: str | None


class GraphError(TypedDict):
    message: str


class GraphErrors(TypedDict):
    errors: list[GraphError]


class Storage(APIView):
    """The repository's buckets: its own. DagsHub's client asks at every start, so code:read is enough."""

    answers = {"get": list[BucketObject]}

    def get(self, request: Request, owner: str, name: str) -> Response:
        return Response(buckets.buckets(gate.repository_for(request, owner, name)))


class DataEngine(APIView):
    """DagsHub's Data Engine is not offered. Its client shows what a GraphQL answer says; of any other answer it shows
    the status alone."""

    answers = {"post": GraphErrors}

    def post(self, request: Request, owner: str, name: str) -> Response:
        gate.repository_for(request, owner, name)
        said = (
            "This hub has no Data Engine. Keep labels as a table beside the data (dvc add); its pages compare tables."
        )
        return Response({"errors": [{"message": said}]})


class StorageContent(APIView):
    """A file's entry, or a page of a folder: {entries, limit, next_token}, whether or not paging=true asks for it.

    next_token is null at the end: DagsHub's client would ask for "" again for ever."""

    answers = {"get": EntryObject | StoragePage}
    queries = {"get": {"from_token": str, "limit": int, "paging": bool}}

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        query = request.query_params
        token = query.get("from_token", "")
        if "\0" in token:
            raise Invalid("from_token holds a NUL character.")
        if not token and not rest.endswith("/"):
            try:
                return Response(buckets.file(repository, rest))
            except NotFound:
                pass  # it may be a folder; if not, folder() says so
        limit = whole_number(request, "limit", default=PAGE_ENTRIES, maximum=PAGE_ENTRIES)
        page = buckets.folder(repository, rest, token=token, limit=limit)
        return Response({"entries": page.entries, "limit": limit, "next_token": page.token or None})
