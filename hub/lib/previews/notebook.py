"""Worker: Jupyter notebooks, by our own renderer. Outputs by allow-list; nothing runs, nothing is fetched."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from html import escape
from typing import Any

from hub.lib import markdown, sanitise
from hub.lib.highlight import highlight_fragment
from hub.lib.sanitise import Bases

MAX_CELLS, MAX_OUTPUTS, MAX_TEXT_CHARACTERS = 500, 50, 20_000
MAX_IMAGE_CHARACTERS, MAX_HTML_CHARACTERS = 6_000_000, 500_000
MARKDOWN_SECONDS = 4.0  # of all cells together
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")
_ATTACHMENT = re.compile(r"attachment:([^\s)\"']+)")


def notebook(data: bytes, *, link_base: str, raw_base: str, directory: str) -> dict[str, Any]:
    """{"html", "note"}. Raises ValueError for what is no notebook."""
    cells, language = cells_of(book_of(data))
    writer = Writer(Bases(link_base, raw_base, directory), language)
    for cell in cells[:MAX_CELLS]:
        writer.cell(cell)
    note = f"Only the first {MAX_CELLS:,} of {len(cells):,} cells are shown." if len(cells) > MAX_CELLS else ""
    return {"html": "".join(writer.pieces), "note": note}


def book_of(data: bytes) -> dict[str, Any]:
    """A notebook of version 4, with cells; older ones are converted by nbformat, which only this path loads. Raises
    ValueError."""
    try:
        book = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("This is not a notebook: it is not JSON.") from error
    if not isinstance(book, dict) or not isinstance(book.get("nbformat"), int):
        raise ValueError("This is not a notebook: it names no format.")
    if book["nbformat"] < 4:
        book = _converted(data)
    if not isinstance(book.get("cells"), list):
        raise ValueError("This is not a notebook: it has no cells.")
    return book


def cells_of(book: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The cells and the language."""
    about = book.get("metadata")
    info = about.get("language_info") or about.get("kernelspec") if isinstance(about, dict) else None
    name = (info.get("name") or info.get("language")) if isinstance(info, dict) else ""
    return [cell for cell in book["cells"] if isinstance(cell, dict)], str(name or "python")


def _converted(data: bytes) -> dict[str, Any]:
    import nbformat

    try:
        return dict(nbformat.reads(data.decode(), as_version=4))  # type: ignore[no-untyped-call]  # nbformat has no types
    except Exception as error:  # its converters raise whatever a strange notebook makes them
        raise ValueError("This notebook of an old version cannot be converted.") from error


class Writer:
    def __init__(self, bases: Bases, language: str) -> None:
        self.bases, self.language = bases, language
        self.pieces: list[str] = []
        self.seconds = MARKDOWN_SECONDS

    def cell(self, cell: dict[str, Any]) -> None:
        kind, text = cell.get("cell_type"), text_of(cell.get("source"))
        if kind == "markdown":
            self.pieces.append(f'<section class="cell cell-markdown">{self._markdown(text, cell)}</section>')
            return
        if kind == "code":
            self._code(cell, text)
            return
        self.pieces.append(f'<section class="cell"><pre>{escape(text[:MAX_TEXT_CHARACTERS])}</pre></section>')

    def _markdown(self, text: str, cell: dict[str, Any]) -> str:
        attachments = cell.get("attachments")

        def inline(match: re.Match[str]) -> str:
            bundle = attachments.get(match[1]) if isinstance(attachments, dict) else None
            return _data_address(bundle) or match[0] if isinstance(bundle, dict) else match[0]

        start = time.monotonic()
        rendered = markdown.render(
            _ATTACHMENT.sub(inline, text),
            link_base=self.bases.link,
            raw_base=self.bases.raw,
            directory=self.bases.directory,
            seconds=min(markdown.SECONDS, self.seconds),
        )
        self.seconds -= time.monotonic() - start
        return str(rendered)

    def _code(self, cell: dict[str, Any], text: str) -> None:
        count = cell.get("execution_count")
        label = f"[{count}]" if isinstance(count, int) and count < 10**9 else "[ ]"
        short = len(text) <= MAX_TEXT_CHARACTERS
        code = highlight_fragment(text, self.language) if short else escape(text[:MAX_TEXT_CHARACTERS]) + "\n…"
        self.pieces.append(
            f'<section class="cell cell-code"><div class="cell-input"><span class="cell-count">{label}</span>'
            f'<pre class="highlight"><code>{code}</code></pre></div>'
        )
        outputs = cell.get("outputs")
        for output in (outputs if isinstance(outputs, list) else [])[:MAX_OUTPUTS]:
            if isinstance(output, dict):
                self.pieces.append(f'<div class="cell-output">{self.output(output)}</div>')
        self.pieces.append("</section>")

    def output(self, output: dict[str, Any]) -> str:
        kind = output.get("output_type")
        if kind == "stream":
            css = "cell-stderr" if output.get("name") == "stderr" else "cell-stdout"
            return f'<pre class="{css}">{_plain(output.get("text"))}</pre>'
        if kind == "error":
            traceback = output.get("traceback")
            lines = traceback if isinstance(traceback, list) else [output.get("ename"), output.get("evalue")]
            words = "\n".join(str(line) for line in lines)
            return f'<pre class="cell-error">{_plain(words)}</pre>'
        data = output.get("data")
        return self._best(data) if isinstance(data, dict) else ""

    def _best(self, data: dict[str, Any]) -> str:
        """The richest form that is on the allow-list."""
        if image := _data_address(data):
            return f'<img src="{image}" alt="Output image">'
        if svg := text_of(data.get("image/svg+xml"))[:MAX_IMAGE_CHARACTERS]:
            # In <img> an SVG neither runs scripts nor fetches.
            return (
                f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" alt="Output drawing">'
            )
        html = text_of(data.get("text/html"))
        if html and len(html) <= MAX_HTML_CHARACTERS:
            try:
                cleaned = str(sanitise.clean(html, Bases(drawings=True)))
            except sanitise.TooDeep:
                cleaned = ""
            if re.sub(r"<[^>]*>|\s", "", cleaned):
                return f'<div class="cell-html">{cleaned}</div>'
        if text := text_of(data.get("text/markdown"))[:MAX_TEXT_CHARACTERS]:
            return str(markdown.render(text, link_base="", raw_base=""))
        if text := text_of(data.get("text/latex"))[:MAX_TEXT_CHARACTERS]:
            return str(markdown.render(text, link_base="", raw_base=""))
        return f"<pre>{_plain(data.get('text/plain'))}</pre>" if "text/plain" in data else ""


def _data_address(bundle: dict[str, Any]) -> str:
    """A data: address of the first raster image of a bundle, "" when there is none that is well-formed."""
    for media_type in _IMAGES:
        value = re.sub(r"\s", "", text_of(bundle.get(media_type)))
        if value and len(value) <= MAX_IMAGE_CHARACTERS:
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error:
                continue
            return f"data:{media_type};base64,{value}"
    return ""


def text_of(value: Any) -> str:
    """Notebook text is a string or a list of strings."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _plain(value: Any) -> str:
    text = _ANSI.sub("", text_of(value) if not isinstance(value, str) else value)
    return escape(text if len(text) <= MAX_TEXT_CHARACTERS else text[:MAX_TEXT_CHARACTERS] + "\n…")
