"""Diffs of images and of sounds: real files through the job, the sandbox and the pages."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from typing import Any

import numpy
import pytest
import soundfile
from PIL import Image

from datasets import results
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.datasets.test_diff_files import ADDRESS
from tests.support.work import work

pytestmark = pytest.mark.django_db
RED, BLUE = (200, 0, 0), (0, 0, 200)


def picture(size: tuple[int, int] = (40, 20), color: Any = RED, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB" if len(color) == 3 else "RGBA", size, color).save(out, format, **options)
    return out.getvalue()


def dotted() -> bytes:
    image, out = Image.new("RGB", (40, 20), RED), io.BytesIO()
    for x in range(8):
        image.putpixel((x, 3), BLUE)
    image.putpixel((30, 10), (203, 0, 0))
    image.save(out, "PNG")
    return out.getvalue()


def turned() -> bytes:
    """As a camera writes it that was held upright: stored lying, with the word that it stands."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture((20, 40), exif=exif)


def bomb() -> bytes:
    """A PNG of a few bytes that claims 100,000 × 100,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def sound(hertz: float, seconds: float, format: str = "WAV") -> bytes:
    times = numpy.arange(int(8000 * seconds)) / 8000
    out = io.BytesIO()
    samples = (16384 * numpy.sin(2 * numpy.pi * hertz * times)).astype("int16")
    soundfile.write(out, samples, 8000, format=format)
    return out.getvalue()


FILES: dict[str, tuple[bytes | None, bytes | None]] = {
    "dots.png": (picture(), dotted()),
    "same.png": (picture(), picture(format="BMP")),
    "scaled.png": (picture((40, 20)), picture((80, 40))),
    "shape.png": (picture((40, 20)), picture((10, 30))),
    "turned.jpg": (picture((40, 20)), turned()),
    "alpha.png": (picture(color=(255, 0, 0, 0)), picture(color=(0, 0, 255, 0))),
    "bomb.png": (picture(), bomb()),
    "text.png": (b"not an image\n", b"still none\n"),
    "came.png": (None, picture()),
    "bell.wav": (sound(440, 1), sound(440, 2)),
    "same.flac": (sound(440, 1), sound(440, 1, "FLAC")),
    "song.ogg": (sound(440, 0.5, "OGG"), sound(220, 0.5, "OGG")),
    "hum.mp3": (sound(440, 0.5, "MP3"), sound(220, 0.5, "MP3")),
    "broken.wav": (sound(440, 0.1), b"RIFF\xff\xff\xff\xffWAVEnonsense"),
    "gone.wav": (sound(440, 0.1), None),
}


@pytest.fixture
def project(private, writer, keep):
    results.forget(private.pk)  # the ids of repositories come again in the next test
    made = writer(private)
    for side in (0, 1):
        files: dict[str, Any] = {name: both[side] for name, both in FILES.items()}
        files["dvc.png.dvc"] = pointer(keep(private, FILES["dots.png"][side]), "dvc.png")
        files["lost.png.dvc"] = pointer(md5(b"lost %d" % side), "lost.png")
        made.commit({name: data for name, data in files.items() if data is not None or side})
        if not side:
            made.git("tag", "v1")
    return made


def ask(client: Any, path: str) -> Any:
    """The JSON after its job was worked."""
    response = client.get(f"{ADDRESS}/v1...main/{path}?format=json")
    assert response.status_code == 202, response.content
    work()
    response = client.get(f"{ADDRESS}/v1...main/{path}?format=json")
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("path", ["dots.png", "dvc.png"])
def test_pixels_that_differ(project, as_user, bob, path):
    client = as_user(bob)
    answer = ask(client, path)
    assert (answer["kind"], answer["state"]) == ("image", "done")
    summary = answer["summary"]
    assert (summary["pixels"], summary["pixels_changed"], summary["pixels_visible"]) == (800, 9, 8)
    assert summary["max"] == 200
    assert answer["sides"]["base"] | {"width": 40, "height": 20, "color": "#c80000"} == answer["sides"]["base"]
    drawn = client.get(f"{ADDRESS}/v1...main/{path}?format=difference")
    assert drawn["Content-Type"] == "image/webp"
    image = Image.open(io.BytesIO(drawn.content)).convert("RGB")
    red, green, blue = image.getpixel((3, 3))  # type: ignore[misc]  # a tuple of an RGB image
    assert red > green + 40
    red, green, blue = image.getpixel((20, 17))  # type: ignore[misc]
    assert max(red, green, blue) - min(red, green, blue) < 12
    assert Job.objects.count() == 1


@pytest.mark.parametrize("view", ["side", "swipe", "onion", "difference"])
def test_every_way_to_compare_is_a_page(project, as_user, bob, view):
    client = as_user(bob)
    ask(client, "dots.png")
    page = text(client.get(f"{ADDRESS}/v1...main/dots.png?view={view}"))
    assert "1.1 %" in page
    assert ('type="range"' in page) == (view in {"swipe", "onion"})
    assert ("format=difference" in page.split("Pixels</th>")[0]) == (view == "difference")


def test_the_same_pixels_in_another_file(project, as_user, bob):
    client = as_user(bob)
    assert ask(client, "same.png")["summary"]["pixels_changed"] == 0
    assert "No pixel differs" in text(client.get(f"{ADDRESS}/v1...main/same.png"))


def test_different_sizes_say_how_they_are_compared(project, as_user, bob):
    client = as_user(bob)
    scaled, shape = ask(client, "scaled.png"), ask(client, "shape.png")
    assert (scaled["how"], scaled["compared"], scaled["summary"]["pixels_changed"]) == ("scaled", [40, 20], 0)
    assert (shape["how"], shape["compared"]) == ("corner", [40, 30])
    assert shape["summary"]["pixels_changed"] == 30 * 20 + 10 * 10
    assert "compared at 40 × 20" in text(client.get(f"{ADDRESS}/v1...main/scaled.png"))
    assert "from the top left corner" in text(client.get(f"{ADDRESS}/v1...main/shape.png"))


def test_the_orientation_of_a_camera_is_honoured(project, as_user, bob):
    answer = ask(as_user(bob), "turned.jpg")
    side = answer["sides"]["head"]
    assert (side["width"], side["height"], side["turned"], answer["how"]) == (40, 20, True, "")


def test_the_colour_of_what_is_transparent_does_not_count(project, as_user, bob):
    answer = ask(as_user(bob), "alpha.png")
    assert answer["summary"]["pixels_changed"] == 0
    assert answer["sides"]["base"] | {"alpha": True, "color": ""} == answer["sides"]["base"]


def test_bombs_and_what_is_no_image_are_compared_by_their_bytes(project, as_user, bob):
    answer = ask(as_user(bob), "bomb.png")
    assert answer["kind"] == "bytes"
    assert answer["note"].startswith("At head: This image has more than")
    assert answer["note"] in text(as_user(bob).get(f"{ADDRESS}/v1...main/bomb.png"))
    other = ask(as_user(bob), "text.png")
    assert (other["kind"], other["summary"]) == ("text", {"lines_added": 1, "lines_removed": 1})
    assert "not an image that can be read" in text(as_user(bob).get(f"{ADDRESS}/v1...main/text.png"))


def test_an_image_that_came(project, as_user, bob):
    answer = ask(as_user(bob), "came.png")
    assert list(answer["sides"]) == ["head"]
    assert "Added." in text(as_user(bob).get(f"{ADDRESS}/v1...main/came.png"))
    assert as_user(bob).get(f"{ADDRESS}/v1...main/came.png?format=difference").status_code == 404


def test_what_was_swept_is_made_again(project, private, as_user, bob):
    client = as_user(bob)
    ask(client, "dots.png")
    results.forget(private.pk)
    assert ask(client, "dots.png")["summary"]["pixels_changed"] == 9
    assert client.get(f"{ADDRESS}/v1...main/dots.png?format=difference").status_code == 200


@pytest.mark.parametrize(("path", "seconds"), [("bell.wav", 2.0), ("song.ogg", 0.5), ("hum.mp3", 0.5)])
def test_sounds_with_their_waveforms(project, as_user, bob, path, seconds):
    client = as_user(bob)
    answer = ask(client, path)
    assert (answer["kind"], answer["summary"]) == ("audio", {"same_sound": False})
    side = answer["sides"]["head"]
    assert side["seconds"] == pytest.approx(seconds, abs=0.15)
    assert (side["rate"], side["channels"], side["cut"]) == (8000, 1, False)
    assert side["peak"] == pytest.approx(0.5, abs=0.1)
    assert all(low <= high for low, high in side["peaks"])
    page = text(client.get(f"{ADDRESS}/v1...main/{path}"))
    assert page.count("<audio") == 2
    assert page.count("<path d=") >= 2
    assert page.count('aria-label="Waveform of the sound at') == 2


def test_the_same_samples_in_another_file(project, as_user, bob):
    client = as_user(bob)
    assert ask(client, "same.flac")["summary"] == {"same_sound": True}
    assert "Every sample is the same" in text(client.get(f"{ADDRESS}/v1...main/same.flac"))


def test_a_sound_is_decoded_once_whatever_it_is_compared_with(project, private, as_user, bob):
    """What was kept of its bytes is taken: a word that no decoder says comes back."""
    client = as_user(bob)
    ask(client, "bell.wav")
    place = results.sketch_place(private.pk, results.digest("audio", f"git:{oid(FILES['bell.wav'][1])}"))
    place.write_text(json.dumps(json.loads(place.read_bytes()) | {"format": "kept"}))
    project.commit({"bell.wav": FILES["song.ogg"][1]})
    address = f"{ADDRESS}/{project.git('rev-parse', 'main~1')}...main/bell.wav?format=json"
    assert client.get(address).status_code == 202
    work()
    answer = client.get(address).json()
    assert answer["sides"]["base"]["format"] == "kept"
    assert answer["sides"]["head"]["format"] == "OGG"
    assert "samples" not in answer["sides"]["base"]
    assert answer["summary"] == {"same_sound": False}


def oid(data: bytes | None) -> str:
    """What git calls these bytes."""
    assert data is not None
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def test_a_sound_that_cannot_be_decoded_can_still_be_played(project, as_user, bob):
    answer = ask(as_user(bob), "broken.wav")
    assert answer["note"] == "At head: this is no sound that can be read here."
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/broken.wav"))
    assert page.count("<audio") == 2
    assert "no waveform" in page
    gone = ask(as_user(bob), "gone.wav")
    assert list(gone["sides"]) == ["base"]


def test_an_image_that_was_never_pushed(project, as_user, bob):
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main/lost.png"))
    assert "lost.png.dvc" in page
    assert "dvc push" in page
    assert not Job.objects.exists()


def test_strangers_find_nothing(project, client, as_user, bob):
    ask(as_user(bob), "dots.png")
    for form in ("json", "difference", ""):
        assert client.get(f"{ADDRESS}/v1...main/dots.png?format={form}").status_code == 404
    assert as_user(bob).post(f"{ADDRESS}/v1...main/dots.png").status_code == 405
