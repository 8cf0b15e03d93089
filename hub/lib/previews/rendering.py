"""The entry point: pick the kind, read what it needs, let the sandbox parse it, and make the HTML of the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hub.lib import sandbox, sanitise
from hub.lib.previews import kinds, model_files
from hub.lib.previews.pieces import cut, dump, grid
from hub.lib.previews.preview import MIB, TEXT_BYTES, Preview, Source
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.sanitise import Bases

RENDERER_VERSION = 4  # part of the key of cached previews: raise it when the HTML changes
NOTEBOOK_BYTES, TABLE_BYTES, PARQUET_BYTES = 10 * MIB, 2 * MIB, 32 * MIB
MEDIA_BYTES = 50 * MIB  # images larger than this are not loaded unasked
MOST_PIXELS, HEADER_BYTES = 2**28, MIB  # of an image: a browser takes a GiB to draw so many, or draws nothing


@dataclass(frozen=True)
class _Order:
    """What is to be shown. raw_url: where the browser finds the bytes. The bases are markdown.render's. pages: show
    HTML as a page, where there is a host for it."""

    path: str
    source: Source
    raw_url: str
    link_base: str
    raw_base: str
    pages: bool = False

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def directory(self) -> str:
        return self.path.rpartition("/")[0]


def render(
    path: str,
    source: Source,
    *,
    raw_url: str,
    link_base: str = "",
    raw_base: str = "",
    as_source: bool = False,
    pages: bool = False,
) -> Preview:
    """A preview of a file, for any bytes: what cannot be shown is described.

    raw_url: the file's raw address. link_base, raw_base: where its relative links and images lead (markdown.render).
    as_source: show text as written. pages: show HTML as a page, on RAW_HOST only. Raises only what source.head raises,
    and Busy when too many previews wait.
    """
    order = _Order(path, source, raw_url, link_base, raw_base, pages)
    head = source.head(kinds.SNIFF_BYTES)
    kind = kinds.kind_of(path, head)
    if kind == "code" and pages and settings.RAW_HOST and kinds.extension_of(path) in kinds.PAGE:
        kind = "page"
    if as_source and kinds.has_source(path, kind):
        kind = "binary" if kinds.is_binary(head) else "code"
    try:
        return _KINDS[kind](order)
    except Unreadable as error:
        return _instead(order, head, str(error))
    except Overrun:
        return _instead(order, head, "This file takes too much time or memory to be shown.")


def _instead(order: _Order, head: bytes, note: str) -> Preview:
    """The plain form of a file whose own preview failed, with the reason."""
    if kinds.is_binary(head):
        shown = _binary(order)
    else:
        try:
            shown = _lines(order, "plain")
        except (Unreadable, Overrun):
            shown = _binary(order)
    return Preview(shown.kind, shown.html, f"{note} {shown.note}".strip(), lines=shown.lines)


# ---- text --------------------------------------------------------------------------------------
def _code(order: _Order) -> Preview:
    try:
        return _lines(order, "code")
    except Overrun:  # the colours took too long
        return _lines(order, "plain")


def _lines(order: _Order, function: str) -> Preview:
    data = order.source.head(TEXT_BYTES)
    answer = sandbox.call(f"hub.lib.previews.texts:{function}", data, filename=order.name)
    lines = sanitise.clean_lines(answer["html"])
    rows = format_html_join(
        "",
        '<tr id="L{}"><td class="code-number"><a href="#L{}">{}</a></td><td class="code-line">{}</td></tr>',
        ((number, number, number, line) for number, line in enumerate(lines, 1)),
    )
    html = format_html('<table class="code highlight"><tbody>{}</tbody></table>', rows)
    note = f"{answer['note']} {cut(order.source, TEXT_BYTES)}".strip()
    return Preview(
        "code", html, note, has_source=kinds.has_source(order.path, kinds.kind_of(order.path, data)), lines=lines
    )


def _markdown(order: _Order) -> Preview:
    if order.source.size > TEXT_BYTES:
        return _lines(order, "plain")
    answer = sandbox.call("hub.lib.previews.texts:markdown_page", order.source.head(TEXT_BYTES), **_bases(order))
    html = format_html('<article class="markdown">{}</article>', sanitise.clean(answer["html"], Bases()))
    return Preview("markdown", html, answer["note"], has_source=True)


def _notebook(order: _Order) -> Preview:
    if order.source.size > NOTEBOOK_BYTES:
        return _large(order, NOTEBOOK_BYTES)
    answer = sandbox.call(
        "hub.lib.previews.notebook:notebook",
        order.source.head(NOTEBOOK_BYTES),
        seconds=6,
        output_bytes=32 * MIB,
        **_bases(order),
    )
    cleaned = sanitise.clean(answer["html"], Bases(drawings=True))
    html = format_html('<div class="notebook markdown">{}</div>', cleaned)
    return Preview("notebook", html, answer["note"], has_source=True)


def _bases(order: _Order) -> dict[str, Any]:
    return {"link_base": order.link_base, "raw_base": order.raw_base, "directory": order.directory}


def _tree(order: _Order) -> Preview:
    if order.source.size > TEXT_BYTES:
        return _lines(order, "plain")
    format = kinds.TREE[kinds.extension_of(order.path)]
    answer = sandbox.call("hub.lib.previews.trees:tree", order.source.head(TEXT_BYTES), format=format)
    return Preview("tree", sanitise.clean(answer["html"], Bases()), answer["note"], has_source=True)


# ---- tables ------------------------------------------------------------------------------------
def _table(order: _Order) -> Preview:
    format = kinds.TABLE[kinds.extension_of(order.path)]
    limit = PARQUET_BYTES if format == "parquet" else TABLE_BYTES
    complete = order.source.size <= limit
    if format == "parquet" and not complete:
        return _large(order, limit)
    answer = sandbox.call(
        "hub.lib.previews.tables:table", order.source.head(limit), seconds=5, format=format, complete=complete
    )
    return Preview("table", grid(answer), answer["note"], has_source=format != "parquet")


# ---- what the browser shows --------------------------------------------------------------------
def _image(order: _Order) -> Preview:
    if order.source.size > MEDIA_BYTES:
        return _large(order, MEDIA_BYTES)
    drawing = kinds.extension_of(order.path) == "svg"
    if not drawing and (size := _size(order)) and size[0] * size[1] > MOST_PIXELS:
        note = f"This image claims {size[0]:,} × {size[1]:,} pixels, more than is shown. Download it to look at it."
        return Preview("large", _download(order), note)
    html = format_html('<img class="preview-media" src="{}" alt="{}">', order.raw_url, order.name)
    return Preview("image", html, has_source=drawing)


def _size(order: _Order) -> list[int] | None:
    """Width and height, by the header; None where that does not say: then the browser may try."""
    try:
        size: list[int] = sandbox.call("hub.lib.previews.thumbnails:size", order.source.head(HEADER_BYTES))
    except (Unreadable, Overrun):
        return None
    return size


def _audio(order: _Order) -> Preview:
    html = format_html('<audio class="preview-media" controls preload="none" src="{}"></audio>', order.raw_url)
    return Preview("audio", html)


def _video(order: _Order) -> Preview:
    html = format_html('<video class="preview-media" controls preload="none" src="{}"></video>', order.raw_url)
    return Preview("video", html)


def _pdf(order: _Order) -> Preview:
    """In a frame only when raw files have a host of their own: on the hub's they are sandboxed, and browsers show no
    PDF in a sandbox."""
    link = format_html('<p class="note"><a href="{}">Open the PDF</a></p>', order.raw_url)
    if not settings.RAW_HOST:
        return Preview("pdf", link)
    frame = format_html('<iframe class="preview-frame" src="{}" title="{}"></iframe>', order.raw_url, order.name)
    return Preview("pdf", format_html("{}{}", frame, link))


def _page(order: _Order) -> Preview:
    """Only on the host of raw files, which has nothing of the hub's; there it may run what it brings along."""
    html = format_html(
        '<iframe class="preview-frame" src="{}" title="{}" sandbox="allow-scripts"></iframe>', order.raw_url, order.name
    )
    return Preview("page", html, has_source=True)


# ---- the rest ----------------------------------------------------------------------------------
def _empty(order: _Order) -> Preview:
    return Preview("empty", format_html('<p class="note">{}</p>', "This file is empty."))


def _large(order: _Order, limit: int) -> Preview:
    note = f"This file is larger than the {limit // MIB} MiB that are shown here. Download it to look at it."
    return Preview("large", _download(order), note)


def _download(order: _Order) -> SafeString:
    return format_html('<a class="button" href="{}" download="{}">Download</a>', order.raw_url, order.name)


def _binary(order: _Order) -> Preview:
    note = f"This file is binary: {order.source.size:,} bytes. Its beginning:"
    return Preview("binary", dump(order.source), note)


def _of_bytes(shown: Callable[[Source], Preview]) -> Callable[[_Order], Preview]:
    """Of a preview that needs no address."""
    return lambda order: shown(order.source)


_KINDS: dict[str, Callable[[_Order], Preview]] = {
    "code": _code,
    "markdown": _markdown,
    "notebook": _notebook,
    "tree": _tree,
    "table": _table,
    "model": _of_bytes(model_files.safetensors),
    "pickle": _of_bytes(model_files.pickle),
    "image": _image,
    "audio": _audio,
    "video": _video,
    "pdf": _pdf,
    "page": _page,
    "onnx": _of_bytes(model_files.onnx),
    "mlmodel": _of_bytes(model_files.mlmodel),
    "empty": _empty,
    "binary": _binary,
}
