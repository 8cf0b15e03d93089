"""A reader of HTML that knows nothing of our sanitiser: what would a browser run or fetch?"""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

LIVE_TAGS = set(
    [
        "script",
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "applet",
        "base",
        "meta",
        "link",
        "style",
        "form",
        "button",
        "select",
        "textarea",
        "svg",
        "use",
        "animate",
        "set",
        "image",
        "template",
        "portal",
        "audio",
        "video",
        "source",
        "track",
        "annotation-xml",
        "maction",
        "noscript",
        "dialog",
        "marquee",
        "math-x",
        "xmp",
        "foreignobject",
        "isindex",
        "keygen",
        "body",
        "html",
        "head",
        "title",
        "bgsound",
        "layer",
    ]
)
LIVE_ATTRIBUTES = {
    "style",
    "srcdoc",
    "formaction",
    "action",
    "xlink:href",
    "ping",
    "srcset",
    "background",
    "data",
    "is",
}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LIVE_TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in LIVE_ATTRIBUTES or name.startswith(("hx-", "data-")):
                self.faults.append(f"{tag}[{name}]")
            if name in {"href", "src", "cite"} and value is not None:
                self._address(tag, name, value)
            if name == "id" and not str(value).startswith("user-content-"):
                self.faults.append(f"id={value}")
        if tag == "input" and dict(attrs).get("type") != "checkbox":
            self.faults.append("input")

    def _address(self, tag: str, name: str, value: str) -> None:
        scheme = urlsplit(value.strip("\x00\x01\x02\x03\x04\x1f \t\r\n")).scheme
        if name == "href" and scheme not in {"", "http", "https", "mailto", "tel"}:
            self.faults.append(f"{tag}[{name}={value[:60]}]")
        inline = value.startswith(("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;"))
        if name == "src" and not inline and (scheme or value.startswith("//")):
            self.faults.append(f"{tag}[{name}={value[:60]}]")


def faults(markup: str) -> list[str]:
    """What in this HTML runs, submits, or reaches out; empty when it is harmless."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.faults
