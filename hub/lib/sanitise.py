"""The one sanitiser: an allow-list of tags, attributes and addresses (nh3), and relative addresses made right."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, unquote, urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from pygments.token import STANDARD_TYPES

ID_PREFIX = "user-content-"
MATH = (
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle merror mpadded mphantom menclose msub msup msubsup "
    "munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr"
)
TEXT = (
    "a abbr b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p picture pre q rp rt ruby s samp section small span "
    "strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr"
)
TAGS = frozenset(f"{TEXT} {MATH}".split())
DROPPED_WITH_CONTENT = frozenset(
    ["script", "style", "template", "noscript", "title", "iframe", "object", "embed", "svg", "textarea", "xmp"]
)
_MATH_ATTRIBUTES = frozenset(
    [
        "display",
        "displaystyle",
        "scriptlevel",
        "mathvariant",
        "stretchy",
        "fence",
        "form",
        "separator",
        "lspace",
        "rspace",
        "minsize",
        "maxsize",
        "movablelimits",
        "accent",
        "accentunder",
        "linethickness",
        "width",
        "height",
        "depth",
        "voffset",
        "columnalign",
        "rowalign",
        "columnspacing",
        "rowspacing",
        "columnlines",
        "rowlines",
        "frame",
        "notation",
        "columnspan",
        "rowspan",
        "symmetric",
        "largeop",
    ]
)
_CELL = frozenset({"align", "colspan", "rowspan", "scope", "id"})
ATTRIBUTES: dict[str, set[str]] = {
    "*": {"title", "lang", "dir", "id"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "align"},
    "input": {"checked"},
    "ol": {"start", "type"},
    "li": {"value"},
    "details": {"open"},
    "time": {"datetime"},
    "table": {"align"},
    "p": {"align"},
    "div": {"align"},
    **{f"h{level}": {"align"} for level in range(1, 7)},
    "td": set(_CELL),
    "th": set(_CELL),
    "col": {"span"},
    "colgroup": {"span"},
    **{tag: set(_MATH_ATTRIBUTES) for tag in MATH.split()},
}
_PYGMENTS = {name for name in STANDARD_TYPES.values() if name}
CLASSES: dict[str, set[str]] = {
    "div": {"highlight", "math", "block", "inline", "tree", "cell-input", "cell-output", "cell-html", "quoted"},
    "span": {"math", "inline", "block", "cell-count", *_PYGMENTS},
    "p": {"note"},
    "pre": {"highlight", "cell-stderr", "cell-stdout", "cell-error"},
    "ul": {"contains-task-list"},
    "ol": {"contains-task-list", "footnotes-list"},
    "li": {"task-list-item", "footnote-item"},
    "section": {"footnotes", "cell", "cell-code", "cell-markdown"},
    "sup": {"footnote-ref"},
    "a": {"footnote-backref", "card"},
    "hr": {"footnotes-sep"},
    "input": {"task-list-item-checkbox"},
    "table": {"dataframe"},
}
_LINK_SCHEMES = {"http", "https", "mailto", "tel"}
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_DATA_DRAWING = re.compile(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]*")
_LINES = re.compile(r"L\d+(?:-L?\d+)?")


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NEVER_NEST = frozenset(["br", "img", "hr", "input", "col", "wbr", "p", "li", "td", "th", "tr", "dt", "dd"])
USUAL_DEPTH, MAX_DEPTH_SUM = 32, 1_000_000


class TooDeep(Exception):
    """This markup nests so deep that parsing it would take quadratic time."""


@dataclass(frozen=True)
class Bases:
    """Where relative addresses point: URL prefixes (ending in "/") of pages and of raw files at the root of a revision.

    directory: the folder of the text below that root. drawings: inline SVG is kept as an image (where it runs nothing).
    """

    link: str = ""
    raw: str = ""
    directory: str = ""
    drawings: bool = False


def clean(markup: str, bases: Bases) -> SafeString:
    """What is harmless of a stranger's HTML. The only place that marks such text safe. Raises TooDeep."""
    _check_depth(markup)
    cleaned = nh3.clean(
        markup,
        tags=set(TAGS),
        clean_content_tags=set(DROPPED_WITH_CONTENT),
        attributes=ATTRIBUTES,
        attribute_filter=partial(_attribute, bases),
        allowed_classes=CLASSES,
        # A form control is only ever the box of a task list; long lines of code are scrolled with the keyboard too.
        set_tag_attribute_values={
            "input": {"type": "checkbox", "disabled": "", "aria-label": "Task"},
            "pre": {"tabindex": "0"},
        },
        url_schemes={*_LINK_SCHEMES, "data"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(cleaned)  # noqa: S308  # it is what nh3 let through


def clean_lines(markup: str) -> tuple[SafeString, ...]:
    """The same for highlighted code whose tags never cross a line end."""
    return tuple(mark_safe(line) for line in str(clean(markup, Bases())).split("\n"))  # noqa: S308  # the same


def _check_depth(markup: str) -> None:
    """Parsing costs tags x depth: refuse when the depths beyond the usual sum up to too much."""
    still_open: Counter[str] = Counter()
    depth = total = 0
    for closing, tag in _TAG.findall(markup):
        name = tag.lower()
        if name not in _NEVER_NEST:
            if not closing:
                still_open[name] += 1
                depth += 1
            elif still_open[name]:
                still_open[name] -= 1
                depth -= 1
        total += max(0, depth - USUAL_DEPTH)
        if total > MAX_DEPTH_SUM:
            raise TooDeep


def _attribute(bases: Bases, tag: str, name: str, value: str) -> str | None:
    if name == "id":
        return value if value.startswith(ID_PREFIX) else ID_PREFIX + value
    if name == "href":
        return link(value, bases)
    if name == "src":
        return image(value, bases)
    return value


def link(address: str, bases: Bases) -> str | None:
    """The address a link may have, or None."""
    address = _as_browsers_read(address)
    if address.startswith("#"):
        return "#" + _fragment(address[1:])
    scheme = _scheme(address)
    if scheme is None:
        return None
    if scheme:
        return address if scheme in _LINK_SCHEMES else None
    return _inside(address, bases.link, bases.directory)


def image(address: str, bases: Bases) -> str | None:
    """The address an image may have: inside the same revision, or inline data. Nothing is fetched from elsewhere."""
    address = _as_browsers_read(address)
    if _DATA_IMAGE.fullmatch(address) or (bases.drawings and _DATA_DRAWING.fullmatch(address)):
        return address
    if _scheme(address) != "":
        return None
    return _inside(address, bases.raw, bases.directory)


def _as_browsers_read(address: str) -> str:
    """Browsers drop control characters and take a backslash for a slash."""
    return re.sub(r"[\x00-\x1f\x7f]", "", address).strip().replace("\\", "/")


def _scheme(address: str) -> str | None:
    """The scheme in lower case; "" for an address without one; None when it cannot be told."""
    if address.startswith("//"):
        return "https"
    try:
        return urlsplit(address).scheme.lower() if ":" in address.split("/", 1)[0] else ""
    except ValueError:
        return None


def _inside(address: str, base: str, directory: str) -> str | None:
    """base + path, the path resolved against the directory and kept below the root."""
    if not base:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    path = unquote(parts.path)
    joined = posixpath.normpath("/" + path if path.startswith("/") else posixpath.join("/", directory, path))
    url = base + quote(joined.lstrip("/"), safe="/")
    if parts.query:
        url += "?" + quote(parts.query, safe="=&+%")
    return f"{url}#{_fragment(parts.fragment)}" if parts.fragment else url


def _fragment(name: str) -> str:
    """Anchors of a text carry a prefix, those of lines (L10-L20) are the hub's own."""
    if not name or name.startswith(ID_PREFIX) or _LINES.fullmatch(name):
        return name
    return ID_PREFIX + quote(unquote(name), safe="")
