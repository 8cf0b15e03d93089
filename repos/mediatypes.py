"""As what a raw file is sent: an allow-list of types that run nothing; all else is text or a download."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from hub.lib.previews.kinds import SNIFF_BYTES, extension_of, is_binary
from repos.content import Content
from repos.git.read import to_bytes

INLINE = {
    **{"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    **{"avif": "image/avif", "bmp": "image/bmp", "ico": "image/x-icon"},
    **{"mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "oga": "audio/ogg", "flac": "audio/flac"},
    **{"m4a": "audio/mp4", "aac": "audio/aac", "opus": "audio/ogg"},
    **{"mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime"},
    "pdf": "application/pdf",
}
# Images show a drawing whatever its disposition; opened by itself it is a download.
SVG = "image/svg+xml"
TEXT, BYTES, HTML = "text/plain; charset=utf-8", "application/octet-stream", "text/html; charset=utf-8"
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# On a host of its own a page may run what it brings along, in an origin that nothing else shares.
OWN_HOST_PAGE = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; media-src data: blob:"
)


@dataclass(frozen=True)
class Form:
    content_type: str
    disposition: str
    policy: str

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [
            ("content-type", self.content_type),
            ("content-disposition", self.disposition),
            ("content-security-policy", self.policy),
        ]


def form_of(path: str, file: Content, *, own_host: bool = False) -> Form:
    """How a file of this name is sent; blocking, since unknown names are told apart by their first bytes.

    own_host: the answer goes out on RAW_HOST, where pages and drawings may be shown too.
    """
    name, extension = path.rsplit("/", 1)[-1], extension_of(path)
    if file.entry.mode == 0o120000:  # a link's content is the path it names
        return Form(TEXT, _named("inline", name), SANDBOX)
    if own_host and extension in {"html", "htm", "svg", "pdf"}:
        return _on_own_host(name, extension)
    if extension in INLINE:
        return Form(INLINE[extension], _named("inline", name), SANDBOX)
    if extension == "svg":
        return Form(SVG, _named("attachment", name), SANDBOX)
    if is_binary(file.head(SNIFF_BYTES)):
        return Form(BYTES, _named("attachment", name), SANDBOX)
    return Form(TEXT, _named("inline", name), SANDBOX)


def _on_own_host(name: str, extension: str) -> Form:
    framing = f"frame-ancestors {settings.COVEY_URL}"
    if extension == "pdf":  # browsers show no PDF in a sandbox
        return Form(INLINE["pdf"], _named("inline", name), framing)
    if extension == "svg":
        return Form(SVG, _named("inline", name), f"{SANDBOX}; {framing}")
    return Form(HTML, _named("inline", name), f"{OWN_HOST_PAGE}; {framing}")


def _named(kind: str, name: str) -> str:
    """A Content-Disposition with the file's name, whatever bytes it has."""
    return f"{kind}; filename*=UTF-8''{quote(to_bytes(name), safe='')}"
