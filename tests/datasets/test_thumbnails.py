"""Small pictures of images in git and in DVC: right, safe, made once; who may see them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy
import pytest
from PIL import Image

from datasets import results
from datasets.tracked.versions import version_at
from datasets.viewer import thumbnails
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/datasets/thumbnail/main"


def image(width: int = 400, height: int = 200, format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, format, **options)
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def digit() -> bytes:
    out = io.BytesIO()
    Image.fromarray((numpy.indices((8, 8)).sum(axis=0) % 2 * 255).astype("uint8")).save(out, "PNG")
    return out.getvalue()


def depth() -> bytes:
    out = io.BytesIO()
    Image.fromarray(numpy.linspace(0, 65535, 10_000).astype("uint16").reshape(100, 100)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def project(private, writer, keep):
    results.forget(private.pk)
    made = writer(private)
    made.commit(
        {
            "a.png": image(),
            "b.jpg.dvc": pointer(keep(private, image(3000, 1500, "JPEG")), "b.jpg"),
            "turned.jpg": image(300, 100, "JPEG", exif=_turned()),
            "depth.png": depth(),
            "bomb.png": claiming(60_000, 60_000),
            "cut.png": image()[:200],
            "digit.png": digit(),
            "text.png": "not an image",
            "drawing.png": "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
            "lost.png.dvc": pointer(md5(b"?"), "lost.png"),
        }
    )
    return made


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


@pytest.mark.parametrize(("path", "size"), [("a.png", (256, 128)), ("b.jpg", (256, 128)), ("turned.jpg", (85, 256))])
def test_a_small_picture(project, as_user, bob, path, size):
    response = as_user(bob).get(f"{ADDRESS}/{path}")
    assert (response.status_code, response["Content-Type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(response.content)) as small:
        assert (small.format, small.size) == ("WEBP", size)
        assert small.convert("RGB").getpixel((5, 5))[0] > 180


def test_the_pixels_of_a_tiny_image_become_squares(project, as_user, bob):
    with Image.open(io.BytesIO(as_user(bob).get(f"{ADDRESS}/digit.png").content)) as small:
        grey = numpy.asarray(small.convert("L"))
    assert grey.shape == (256, 256)
    assert set(grey.flatten()) == {0, 255}
    assert (grey[:32, :32] == 0).all()
    assert (grey[:32, 32:64] == 255).all()


def test_depths_of_16_bits_are_seen(project, as_user, bob):
    with Image.open(io.BytesIO(as_user(bob).get(f"{ADDRESS}/depth.png").content)) as small:
        low, high = small.convert("L").getextrema()
    assert low < 10
    assert high > 240


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("bomb.png", "more than 64,000,000 pixels"),
        ("cut.png", "damaged"),
        ("text.png", "not an image"),
        ("drawing.png", "not an"),
    ],
)
def test_what_is_no_image_says_so_and_is_remembered(project, as_user, bob, path, words):
    for _ in range(2):
        response = as_user(bob).get(f"{ADDRESS}/{path}")
        assert response.status_code == 422
        assert words in text(response)


def test_a_page_shows_a_picture_in_place_of_what_is_none(project, as_user, bob):
    response = as_user(bob).get(f"{ADDRESS}/bomb.png", headers={"Sec-Fetch-Dest": "image"})
    assert (response.status_code, response["Content-Type"]) == (422, "image/svg+xml")
    assert "no preview" in text(response)


def test_the_page_of_a_bomb_says_why_and_offers_the_file(project, as_user, bob):
    client = as_user(bob)
    for page in ("blob", "datasets/image"):
        shown = text(client.get(f"/alice/private/{page}/main/bomb.png"))
        assert "pixels" in shown
        assert "Download it to look at it." in shown
        assert 'download="bomb.png"' in shown
        assert "Comment on this region" not in shown
    assert "60,000 × 60,000 pixels" in text(client.get("/alice/private/blob/main/bomb.png"))
    for page, drawn in (("blob", "preview-media"), ("datasets/image", "region-canvas")):
        assert drawn in text(client.get(f"/alice/private/{page}/main/a.png"))


def test_it_is_made_once_and_answered_by_its_tag(project, private, as_user, bob):
    client = as_user(bob)
    first = client.get(f"{ADDRESS}/a.png?edge=128")
    kept = thumbnails.thumbnail(private, version_at(private, project.tips["main"], "a.png"), edge=128).path
    written = kept.stat().st_ino
    again = client.get(f"{ADDRESS}/a.png?edge=128", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert kept.stat().st_ino == written
    assert first["Cache-Control"] == "private, no-cache"


def test_who_may_and_what_is_not_there(project, as_user, bob, charlie):
    for user in (charlie, None):
        assert as_user(user).get(f"{ADDRESS}/a.png").status_code == 404
    client = as_user(bob)
    assert client.post(f"{ADDRESS}/a.png").status_code == 405
    assert client.get(f"{ADDRESS}/a.png?edge=77").status_code == 400
    for path in ("none.png", "lost.png", ""):
        assert client.get(f"{ADDRESS}/{path}").status_code == 404


def test_they_go_with_the_repository(project, private, as_user, bob):
    assert as_user(bob).get(f"{ADDRESS}/a.png").status_code == 200
    version = version_at(private, project.tips["main"], "a.png")
    kept = thumbnails.thumbnail(private, version).path
    results.forget(private.pk)
    assert not kept.exists()
