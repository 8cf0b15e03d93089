"""What leaves compressed: pages and JSON. Files are sent as they are."""

from __future__ import annotations

import gzip

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from hub.lib.middleware import CompressedText


def answered(response: HttpResponseBase, *, accept: str = "gzip, deflate, br") -> HttpResponseBase:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_ENCODING"] = accept
    return CompressedText(lambda _: response)(request)


def test_it_compresses_pages_and_json() -> None:
    for kind in ("text/html; charset=utf-8", "application/json"):
        response = answered(HttpResponse(b"word " * 1000, content_type=kind))
        assert isinstance(response, HttpResponse)
        assert gzip.decompress(response.content) == b"word " * 1000
        assert int(response["Content-Length"]) == len(response.content) < 400


def test_it_asks_first() -> None:
    response = answered(HttpResponse(b"word " * 1000), accept="identity")
    assert isinstance(response, HttpResponse)
    assert response.content == b"word " * 1000
    assert response["Vary"] == "Accept-Encoding"


def test_equal_pages_differ_in_length() -> None:
    """Who can make a page repeat a guess must not read from its size whether the guess was right."""
    lengths = {answered(HttpResponse(b"word " * 1000))["Content-Length"] for _ in range(50)}
    assert len(lengths) > 5


def test_what_is_not_found_has_its_own_length() -> None:
    """A private page must not differ from an absent one, not even by the random length."""
    absent = answered(HttpResponse(b"word " * 1000, status=404))
    assert not absent.has_header("Content-Encoding")


def test_it_leaves_streams_and_files_alone() -> None:
    archive = answered(StreamingHttpResponse([b"word " * 1000], content_type="application/zip"))
    image = answered(HttpResponse(b"word " * 1000, content_type="image/png"))
    assert not archive.has_header("Content-Encoding")
    assert not image.has_header("Content-Encoding")
