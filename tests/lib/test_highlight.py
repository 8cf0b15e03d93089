from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from hub.lib import highlight


def test_what_has_no_colour_has_no_element():
    (line,) = highlight.highlight_lines("return alpha + 3\n", "a.py")
    assert line == '<span class="k">return</span> alpha + <span class="mi">3</span>'


def test_a_kind_without_an_element_has_no_colour():
    css = Path("frontend/static/css/syntax.css").read_text()
    assert not highlight._PLAIN & set(re.findall(r"(?<![\w.])\.([a-z0-9]+)(?![\w.])", css))


def test_lines_keep_their_text():
    code = 'def f(x):\n  """a\n  <b>\n  """\n  return x & 1\n\n'
    lines = highlight.highlight_lines(code, "a.py")
    assert [unescape(re.sub("<[^>]*>", "", line)) for line in lines] == code.split("\n")[:-1]
