"""Styles leave as one file, which is the only one of them that pages name."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.files.storage import FileSystemStorage

from hub.static import STYLES, HashedStorage

TEMPLATES = Path(__file__).parents[2] / "frontend" / "templates"

FILES = {
    "css/base.css": ".box { color: var(--bg); }",
    "css/about.css": ".about { color: red; }",
    "css/tokens.css": ":root { --bg: #fff; }",
    "vendor/other.css": ".other { color: blue; }",
    "js/main.js": "export {};",
}


def test_it_makes_one_file_of_our_styles_with_what_all_build_on_first(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    storage = HashedStorage(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(location=tmp_path)
    list(storage.post_process({name: (source, name) for name in FILES}))
    assert set(storage.hashed_files) == {"css/covey.css", "vendor/other.css", "js/main.js"}
    served = tmp_path / storage.hashed_files["css/covey.css"]
    assert served.read_text().split("\n") == [FILES[f"css/{name}.css"] for name in ("base", "tokens", "about")]
    assert Path(f"{served}.br").exists()


def test_pages_name_no_other_file_of_our_styles() -> None:
    named = {found for path in TEMPLATES.rglob("*.html") for found in re.findall(r"css/[\w-]+\.css", path.read_text())}
    assert named == {STYLES}
