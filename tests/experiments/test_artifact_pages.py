"""The artifacts of a run in the browser: folders a page at a time, previews, bytes that run nothing."""

from __future__ import annotations

import pytest
from django.test import override_settings

from experiments import files
from tests.experiments.conftest import Client as Mlflow
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/runs"
ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"
BROWSER = {"accept": "text/html", "sec-fetch-mode": "navigate"}


def put(client: Mlflow, run: dict[str, str], path: str, data: bytes) -> None:
    place = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert client.ask("PUT", f"{ARTIFACTS}/{place}/{path}", body=[data]).status == 200


def names(private, run, folder="", **options):
    found = files.level(private.pk, run["artifact_uri"], folder, **options)
    return [item.cursor for item in found.items], found.after


def test_folders_come_a_page_at_a_time_in_one_order(client, private):
    run = client.run()
    for path in ("a", "a.txt", "b/x", "b/y/z", "b.txt", "c/1", "c/2", "%C3%A9"):
        put(client, run, path, b"1")
    everything, _ = names(private, run)  # stores differ in where a folder stands
    assert sorted(everything) == ["a", "a.txt", "b.txt", "b/", "c/", "é"]
    walked, after = [], ""
    while True:
        found, after = names(private, run, after=after, limit=1)
        walked += found
        if not after:
            break
    assert walked == everything
    assert names(private, run, "b") == (["x", "y/"], "")
    assert names(private, run, "nothing") == ([], "")
    assert names(private, run, "a") == ([], "")


def test_a_folder_larger_than_one_listing_is_one_name(client, private, monkeypatch):
    from experiments.mlflow import s3_artifacts

    monkeypatch.setattr(s3_artifacts, "LISTED_AT_ONCE", 2)
    run = client.run()
    for path in ("a/1", "a/2", "a/3", "a/4/5", "b", "c/1"):
        put(client, run, path, b"1")
    assert names(private, run) == (["a/", "b", "c/"], "")


def test_the_tree_opens_folders_in_place(client, pages, monkeypatch):
    run = client.run()
    put(client, run, "plots/loss%20%C3%A9.png", b"\x89PNG\r\n\x1a\n\0")
    put(client, run, "notes.md", b"# Hi")
    page = pages.get(f"{BASE}/{run['run_id']}").content.decode()
    assert f'hx-get="{BASE}/{run["run_id"]}/artifacts?path=plots"' in page
    assert "notes.md" in page
    assert "loss" not in page
    part = pages.get(f"{BASE}/{run['run_id']}/artifacts?path=plots", headers={"HX-Request": "true"}).content.decode()
    assert "artifact?path=plots%2Floss%20%C3%A9.png" in part
    assert "<html" not in part
    whole = pages.get(f"{BASE}/{run['run_id']}/artifacts?path=plots").content.decode()
    assert "<h1" in whole
    assert pages.get(f"{BASE}/{run['run_id']}/artifacts?path=no").status_code == 404
    assert pages.get(f"{BASE}/{run['run_id']}/artifacts?path=../..").status_code == 400


def test_more_than_a_page_is_asked_for(client, pages, monkeypatch):
    monkeypatch.setattr(files.level, "__kwdefaults__", {"after": "", "limit": 3})
    run = client.run()
    for number in range(5):
        put(client, run, f"f{number}.txt", b"1")
    page = pages.get(f"{BASE}/{run['run_id']}").content.decode()
    assert "f2.txt" in page
    assert "f3.txt" not in page
    assert "after=f2.txt" in page
    assert "f4.txt" in pages.get(f"{BASE}/{run['run_id']}/artifacts?path=&after=f2.txt").content.decode()


SHOWN = [
    ("notes.md", b"# Hi\n[x](other.md)", ">Hi</h1>"),
    ("t.csv", b"name,n\n<b>,1\n", "<td>&lt;b&gt;</td>"),
    ("c.json", b'{"a": [1]}', "preview-tree"),
    ("page.html", b"<script>alert(1)</script>", "&lt;"),
    ("empty.txt", b"", "empty"),
    ("liar.png", b"<html><script>alert(1)</script></html>", "&lt;"),
    ("liar.safetensors", b"\x80\x04cposix\nsystem\n.", "posix.system"),
    ("MLmodel", b"flavors:\n  sklearn:\n    sklearn_version: 1.7.2\n    pickled_model: model.pkl\n", "sklearn"),
]


@pytest.mark.parametrize(("name", "data", "expected"), SHOWN, ids=[name for name, _, _ in SHOWN])
def test_it_shows(client, pages, name, data, expected):
    run = client.run()
    put(client, run, f"d/{name}", data)
    answer = pages.get(f"{BASE}/{run['run_id']}/artifact?path=d/{name}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert expected in page
    assert "<script>alert" not in page
    assert f'href="/alice/private/artifacts/{run["run_id"]}/d/{name}"' in page


def test_a_model_shows_what_it_requires(client, pages):
    run = client.run()
    put(client, run, "model/MLmodel", SHOWN[-1][1])
    put(client, run, "model/requirements.txt", b"scikit-learn==1.7.2\n<b>\n")
    page = pages.get(f"{BASE}/{run['run_id']}/artifact?path=model/MLmodel").content.decode()
    assert "scikit-learn==1.7.2\n&lt;b&gt;" in page
    assert "flavors" in pages.get(f"{BASE}/{run['run_id']}/artifact?path=model/MLmodel&source=1").content.decode()


def test_a_new_file_of_the_name_is_shown_anew(client, pages):
    run = client.run()
    for text in (b"first", b"other"):
        put(client, run, "a.txt", text)
        assert text in pages.get(f"{BASE}/{run['run_id']}/artifact?path=a.txt").content


@pytest.mark.parametrize(
    "path", ["", "..", "../../../covey.sqlite3", "a//b", "%2e%2e/x", "nothing.txt", "d", "x" * 3000]
)
def test_strange_paths_are_answers(client, pages, path):
    run = client.run()
    put(client, run, "d/a.txt", b"x")
    assert pages.get(f"{BASE}/{run['run_id']}/artifact", {"path": path}).status_code in {400, 404}


def test_bytes_come_in_ranges_and_run_nothing(client, private, token_of, alice):
    run, headers = client.run(), basic(token_of(alice))
    put(client, run, "d/page.html", b"<script>alert(1)</script>")
    put(client, run, "movie.mp4", bytes(range(256)))
    address = f"/alice/private/artifacts/{run['run_id']}"
    html = ask("GET", f"{address}/d/page.html", headers=headers)
    assert (html.status, html.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert html.headers["content-security-policy"].startswith("sandbox")
    part = ask("GET", f"{address}/movie.mp4", headers={**headers, "range": "bytes=10-19"})
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert part.headers["content-type"] == "video/mp4"
    again = ask("GET", f"{address}/movie.mp4", headers={**headers, "if-none-match": part.headers["etag"]})
    assert again.status == 304
    assert ask("GET", f"{address}/..%2f..%2fx", headers=headers).status == 400
    assert ask("GET", f"{address}/nothing", headers=headers).status == 404
    assert ask("POST", f"{address}/movie.mp4", headers=headers).status == 405


def test_strangers_and_other_repositories_get_nothing(client, client_of, public, private, alice, charlie, token_of):
    run = client.run()
    put(client, run, "a.txt", b"secret")
    path = f"artifacts/{run['run_id']}/a.txt"
    assert ask("GET", f"/alice/private/{path}", headers=basic(token_of(charlie))).status == 404
    assert ask("GET", f"/alice/private/{path}").status == 401
    assert ask("GET", f"/alice/public/{path}", headers=basic(token_of(alice))).status == 404
    reader = token_of(alice, scopes=["repo:read"])
    assert ask("GET", f"/alice/private/{path}", headers=basic(reader)).status == 403


def test_a_page_is_live_on_its_own_host_only(client, pages, alice):
    run = client.run()
    put(client, run, "report.html", b"<h1>Report</h1>")
    hosts = {"RAW_HOST": "raw.testserver", "ALLOWED_HOSTS": ["testserver", "raw.testserver"]}
    with override_settings(**hosts):
        page = pages.get(f"{BASE}/{run['run_id']}/artifact?path=report.html").content.decode()
        assert f'<iframe class="preview-frame" src="/alice/private/artifacts/{run["run_id"]}/report.html"' in page
        cookie = {"cookie": f"sessionid={pages.session.session_key}", **BROWSER}
        sent = ask("GET", f"/alice/private/artifacts/{run['run_id']}/report.html", headers=cookie)
        assert sent.status == 302
        host, _, rest = sent.headers["location"].removeprefix("http://").partition("/")
        assert host == "raw.testserver"
        live = ask("GET", f"/{rest}", headers={"host": host})
        assert (live.status, live.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert live.headers["content-security-policy"].startswith("sandbox allow-scripts;")
