"""What people write: checked before it is kept, and what is counted in it."""

from __future__ import annotations

import hashlib
import re

from hub.lib import markdown
from hub.lib.errors import Unprocessable

TITLE_CHARACTERS = 256
BODY_CHARACTERS = 65_536
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # what no database stores as text
_BLANK = re.compile("[\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0f\\s]")  # printable, and yet nothing is seen
_JOINERS = re.compile("[\u200c\u200d]")  # within words and emoji


def checked_title(title: str) -> str:
    """One line. Raises Unprocessable."""
    title = " ".join(checked(title, "The title").split())
    if not seen(title):
        raise Unprocessable("A title is missing.", details="Say in a few words what this is about.")
    if len(title) > TITLE_CHARACTERS:
        raise Unprocessable(f"The title is longer than {TITLE_CHARACTERS} characters.", details="Put it into the text.")
    return title


def checked_body(body: str) -> str:
    """Markdown with line ends of our own. Raises Unprocessable."""
    body = checked(body, "The text").replace("\r\n", "\n").replace("\r", "\n")
    if len(body) > BODY_CHARACTERS:
        raise Unprocessable(
            f"The text is longer than {BODY_CHARACTERS:,} characters.", details="Put long logs into a file."
        )
    return body


def checked(text: str, what: str) -> str:
    """Raises Unprocessable on what no database stores."""
    if UNSTORABLE.search(text):
        raise Unprocessable(f"{what} holds a character that cannot be kept (NUL, or half of a pair).")
    return text


def checked_name(text: str, what: str) -> str:
    """One line that people tell from others by looking at it. Raises Unprocessable."""
    text = " ".join(checked(text, what).split())
    if not _JOINERS.sub("", text).isprintable():
        raise Unprocessable(f"{what} holds a character that nobody sees.", details="Type it again, without pasting.")
    if not seen(text):
        raise Unprocessable(f"{what} is empty.", details="Name it with letters that people see.")
    return text


def seen(text: str) -> bool:
    """Whether anything of it can be seen."""
    return any(letter.isprintable() for letter in _BLANK.sub("", text))


def tasks_of(body: str) -> dict[str, int]:
    """How many boxes of task lists a text has, and how many are ticked: as the columns of an issue."""
    boxes = markdown.boxes(body)
    return {"tasks_done": sum(box.done for box in boxes), "tasks_count": len(boxes)}


def digest(body: str) -> str:
    """Names a text as somebody has seen it."""
    return hashlib.sha256(body.encode()).hexdigest()[:32]
