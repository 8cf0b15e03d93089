"""The side panel of the front page, and previews on the page of a file."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


def test_it_names_licence_and_languages(project, alice, as_user):
    project.commit({"LICENSE": "MIT\n", "x.js": "1;\n"})
    page = as_user(alice).get(BASE).content.decode()
    assert f'{BASE}/blob/main/LICENSE">Licence' in page
    assert "<strong>Python</strong>" in page
    assert "<strong>JavaScript</strong>" in page


def test_a_readme_links_inside_its_rev(project, alice, as_user):
    project.commit({"README.md": "[model](src/model.py) ![plot](img/p.png) <script>alert(1)</script>\n"})
    page = as_user(alice).get(BASE).content.decode()
    assert f'href="{BASE}/blob/main/src/model.py"' in page
    assert f'src="{BASE}/raw/main/img/p.png"' in page
    assert "alert(1)" not in page


def test_a_text_can_be_read_as_written(project, alice, as_user):
    client = as_user(alice)
    assert "<h1" in client.get(f"{BASE}/blob/main/README.md").content.decode().split('preview-markdown">')[1]
    source = client.get(f"{BASE}/blob/main/README.md?source=1").content.decode()
    assert 'id="L1"' in source
    assert "# Private" in source


def test_binary_and_huge_files_are_described(project, alice, as_user):
    project.commit({"model.bin": b"\0\1\2" * 1000, "huge.txt": "x\n" * 3_000_000})
    for name in ("model.bin", "huge.txt"):
        answer = as_user(alice).get(f"{BASE}/blob/main/{name}")
        assert answer.status_code == 200
        assert len(answer.content) < 2_000_000
