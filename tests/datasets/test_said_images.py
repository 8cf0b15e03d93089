"""Comments on images and regions of them: inside of the image, drawn over it, kept at the version they are about."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from PIL import Image

from hub.lib.errors import NotFound, Unprocessable
from repos.issues import opening, threads
from repos.issues.models import Thread
from repos.issues.threads import Spot
from tests.datasets.test_contents import pointer
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db
PATH = "images/é (1).png"


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def project(private, writer, keep, nothing_kept):
    made = writer(private)
    files = {PATH: png("red"), "liar.png": b"<svg/>", "notes.txt": "x", "far.png.dvc": pointer("0" * 32, "far.png")}
    files["big.png.dvc"] = pointer(keep(private, png("blue")), "big.png")
    made.first = made.commit(files)
    private.refresh_from_db()
    return made


@pytest.fixture
def begun(bob, private, project):
    def make(detail=None, *, path=PATH):
        here, actor = seen(bob, private), as_actor(bob)
        issue = opening.open_issue(actor, here, title="Look")
        return threads.begin(actor, issue, Spot("image", path, project.first, detail or {}), "A <b>cat</b>?").thread

    return make


def spot(user, repository, thread) -> threads.ShownSpot:
    here = seen(user, repository)
    return threads.shown_spots(as_actor(user), here, [threads.thread_of(here, thread.pk)])[thread.pk]


def page(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_region_is_drawn_over_the_image(begun, bob, private, project):
    thread = begun({"region": [0.25, 0.1, 0.5, 0.333333]})
    assert thread.detail["region"] == [0.25, 0.1, 0.5, 0.3333]
    found = spot(bob, private, thread)
    assert 'viewBox="0 0 1 1"' in found.quoted
    assert '<rect x="0.25" y="0.1" width="0.5" height="0.3333"' in found.quoted
    assert f"/alice/private/datasets/thumbnail/{project.first}/images/" in found.quoted
    html = page(bob).get(found.address.split("#")[0]).content.decode()
    assert f'<a href="#thread-{thread.pk}"' in html
    assert 'x="0.25"' in html
    assert "style=" not in html


def test_the_whole_image_of_git_and_of_dvc(begun, bob, private):
    for path in (PATH, "big.png"):
        found = spot(bob, private, begun(path=path))
        assert found.title == path
        assert "<rect" not in found.quoted
        assert not found.outdated


@pytest.mark.parametrize(
    "region",
    [
        [], [0, 0, 1], [0, 0, 0, 0], [0.5, 0, 0.6, 1], [-0.1, 0, 1, 1], [0, 0, 2, 2], ["0", 0, 1, 1], [True, 0, 1, 1],
        [float("nan"), 0, 1, 1], [float("inf"), 0, 1, 1], "x", {"x": 0}, 7, [[0], 0, 1, 1], [0, 0, 1e-9, 1],
        [10**400, 0, 1, 1],
    ],
)  # fmt: skip
def test_regions_out_of_the_image_are_refused(region, begun):
    with pytest.raises(Unprocessable):
        begun({"region": region})
    assert not Thread.objects.exists()


@pytest.mark.parametrize("path", ["liar.png", "notes.txt", "far.png", "images", "no.png", "../x.png"])
def test_what_is_no_image_here_is_refused(path, begun):
    with pytest.raises((Unprocessable, NotFound)):
        begun({}, path=path)


def test_an_image_that_changed_is_outdated_and_still_shown(begun, bob, private, project):
    thread = begun({"region": [0, 0, 0.5, 0.5]})
    project.commit({PATH: png("green")})
    found = spot(bob, private, thread)
    assert found.outdated
    assert project.first in found.quoted
    html = page(bob).get("/alice/private/datasets/image/main/images/%C3%A9%20(1).png").content.decode()
    assert f'href="#thread-{thread.pk}"' not in html
    assert "hx-get" in html


def test_fields_name_a_region_without_scripts(bob, private, project):
    where = "/alice/private/datasets/image/main/images/%C3%A9%20(1).png"
    answer = page(bob).get(where, {"x": "25", "y": "10,5", "w": "50", "h": "30", "comment": "region", "issue": "3"})
    fields = parse_qs(urlsplit(answer.headers["location"]).query)
    assert json.loads(fields["detail"][0]) == {"region": [0.25, 0.105, 0.5, 0.3]}
    assert (fields["path"], fields["rev"], fields["issue"]) == ([PATH], [project.first], ["3"])
    assert page(bob).get(where, {"x": "a", "comment": "region"}).status_code == 422
    whole = page(bob).get(where, {"comment": "whole"})
    form = page(bob).get(whole.headers["location"]).content.decode()
    assert "region-frame" in form


def test_four_questions(alice, charlie, project):
    where = "/alice/private/datasets/image/main/big.png"
    assert page(alice).get(where).status_code == 200
    assert page(alice).post(where).status_code == 405
    assert page(charlie).get(where).status_code == 404
    assert Client().get(where).status_code == 404
    assert page(alice).get("/alice/private/datasets/image/main/notes.txt").status_code == 404
