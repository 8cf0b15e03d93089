"""Paste an image into a comment; comment on a row and on a region of an image, and find both at their places."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support import console
from tests.support.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# What a browser does with a picture from the clipboard: the event carries a file and no text.
PASTE = """(area) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 30, height: 20 });
  return new Promise((done) => canvas.toBlob((blob) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([blob], "image.png", { type: "image/png" }));
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    done();
  }));
}"""


def png() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((320, 240)).save(out, "PNG")
    return out.getvalue()


def test_rows_and_images_are_talked_about(
    open_page: Callable[..., Page], hub: Hub, people: dict[str, str], git: Callable[..., str], tmp_path: Path
) -> None:
    hub.repository(people["alice"], "talk")
    remote = hub.url.replace("//", f"//alice:{people['alice']}@") + "/alice/talk.git"
    (tmp_path / "people.csv").write_text("id,name\n1,ann\n2,bo\n")
    (tmp_path / "cat.png").write_bytes(png())
    (tmp_path / ".covey").mkdir()
    (tmp_path / ".covey" / "config.yml").write_text("datasets:\n  keys:\n    people.csv: id\n")
    git("init", "-q", "-b", "main", cwd=tmp_path)
    git("add", ".", cwd=tmp_path)
    git("commit", "-q", "-m", "Begin", cwd=tmp_path)
    git("push", "-q", remote, "main", cwd=tmp_path)

    page = open_page("/alice/talk/datasets/table/main/people.csv")
    page.get_by_role("link", name="Comment on row 2").click()
    expect(page.get_by_role("heading", name="Comment on people.csv, id = 2")).to_be_visible()
    page.get_by_label("Title of the new issue").fill("Names are cut")
    page.get_by_label("Comment").fill("Is this **bob**?\n")
    console.enhanced(page)  # a picture that is pasted or a region that is drawn earlier is nobody's
    page.get_by_label("Comment").evaluate(PASTE)
    linked = re.compile(r"\*\*\?\n!\[image\.png\]\(/alice/talk/attachments/")
    expect(page.get_by_label("Comment")).to_have_value(linked, timeout=30_000)
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_role("heading", name="Names are cut #1")).to_be_visible()
    expect(page.locator(".thread-quoted td").last).to_have_text("bo")
    picture = page.locator(".thread-comment img")
    expect(picture).to_have_js_property("naturalWidth", 30)

    page.goto(f"{hub.url}/alice/talk/datasets/image/main/cat.png")
    console.enhanced(page)
    canvas = page.locator("[data-region-canvas]")
    box = canvas.bounding_box()
    assert box
    for over in (".region-canvas img", "svg.region-marks"):
        assert page.locator(over).bounding_box() == pytest.approx(box, abs=1)
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    page.mouse.up()
    expect(page.locator("[data-region-drawn]")).to_have_attribute("x", "0.25")
    page.get_by_role("spinbutton", name="Height").fill("30")
    expect(page.locator("[data-region-drawn]")).to_have_attribute("height", "0.3")
    page.get_by_role("button", name="Comment on this region").click()
    page.get_by_label("In", exact=True).select_option("1")
    page.get_by_label("Comment").fill("An ear?")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".thread .region-marks rect")).to_have_attribute("height", "0.3")

    page.goto(f"{hub.url}/alice/talk/datasets/image/main/cat.png")
    expect(page.locator("#conversation")).to_contain_text("An ear?")
    expect(page.get_by_role("link", name="Region 1, in #1")).to_be_visible()
    page.goto(f"{hub.url}/alice/talk/datasets/table/main/people.csv")
    expect(page.locator("#conversation")).to_contain_text("Is this bob?")
    page.get_by_role("link", name="What is said about row 2").click()
    expect(page.get_by_role("heading", name="Names are cut #1")).to_be_visible()
    assert console.problems(page) == []
