"""The boxes of task lists (`- [ ] this`): which there are, and where each stands in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MOST_LABEL_CHARACTERS = 100
_TODO = re.compile(r"\[([ xX])\][ \t\n\v\f\r]+")  # as mdit_py_plugins.tasklists reads it


@dataclass(frozen=True)
class Box:
    """number: from 0, in the order of the page. at: of its mark, in characters; -1 when that cannot be told."""

    number: int
    at: int
    done: bool
    label: str


def number_boxes(state: StateCore) -> None:
    """A rule of the parser, right before boxes are made of the marks: remember them in env["boxes"].

    With env["box_mark"], which the text cannot hold, a word of it and the number is left where the box belongs.
    """
    found: list[Box] = state.env.setdefault("boxes", [])
    lines: list[tuple[int, str]] | None = None
    for at in range(2, len(state.tokens)):
        token = state.tokens[at]
        if _is_todo(state.tokens, at):
            if lines is None:
                lines = _lines(state.src)
            found.append(_box(token, len(found), lines))
            if mark := state.env.get("box_mark"):
                _leave(token, f"x{mark}x{found[-1].number}x")


def boxes_of(env: dict[str, Any]) -> list[Box]:
    found: list[Box] = env.get("boxes", [])
    return found


def toggled(text: str, box: Box, done: bool) -> str:
    return f"{text[: box.at]}{'x' if done else ' '}{text[box.at + 1 :]}"


def _is_todo(tokens: list[Token], at: int) -> bool:
    return (
        tokens[at].type == "inline"
        and tokens[at - 1].type == "paragraph_open"
        and tokens[at - 2].type == "list_item_open"
        and _TODO.match(tokens[at].content) is not None
    )


def _box(token: Token, number: int, lines: list[tuple[int, str]]) -> Box:
    first = token.content.split("\n", 1)[0].rstrip()
    start, line = lines[token.map[0]] if token.map else (0, "")
    at = line.rfind(first)  # the item's text is the end of its line
    label = first[3:].strip()[:MOST_LABEL_CHARACTERS]
    return Box(number, start + at + 1 if at >= 0 else -1, token.content[1] != " ", label)


def _lines(text: str) -> list[tuple[int, str]]:
    """(where it begins, line)."""
    found, start = [], 0
    for line in text.split("\n"):
        found.append((start, line))
        start += len(line) + 1
    return found


def _leave(token: Token, word: str) -> None:
    """Instead of "[ ]", so that the plugin of task lists finds nothing to do here."""
    children = token.children or []
    if children and children[0].type == "text":
        children[0].content = children[0].content[3:]
    children.insert(0, Token("text", "", 0, content=word))
    token.content = word + token.content[3:]
