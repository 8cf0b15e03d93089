"""The allow-list: every installed route is decided, nothing closed can be reached through an open pattern."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.mlflow import rules
from hub.lib.errors import Invalid

SERVER_SIDE = ["gateway", "promptlab", "invoke", "webhooks", "demo/", "jobs", "workspaces", "assistant", "telemetry"]


def test_it_lists_exactly_the_installed_routes(mlflow_app):
    from experiments.mlflow import inventory

    assert {(method, path) for _, method, path in rules.listed()} == set(inventory.installed())


def test_it_closes_what_makes_the_server_act():
    open_paths = [path for kind, _, path in rules.listed() if kind != "closed"]
    assert not [path for path in open_paths if any(word in path for word in SERVER_SIDE)]
    assert len(open_paths) > 200


def test_it_reaches_no_closed_route_through_an_open_pattern():
    """A closed `…/x/invoke` must not match an open `…/x/<id>` of the same method."""
    opened = [(method, re.compile(pattern)) for method, pattern, _ in rules.open_routes()]
    for kind, method, path in rules.listed():
        if kind == "closed":
            plain = re.sub(r"<[^>]+>", "x", path).removeprefix("/")
            assert not [p.pattern for m, p in opened if m == method and p.fullmatch(plain)], path


def test_it_needs_write_for_what_changes():
    needs = {(method, pattern): need.name for method, pattern, need in rules.open_routes()}
    assert needs["POST", re.escape("api/2.0/mlflow/runs/create")] == "WRITE"
    assert needs["POST", re.escape("api/2.0/mlflow/runs/search")] == "READ"
    writers = {"PUT", "PATCH", "DELETE"}
    assert {need for (method, _), need in needs.items() if method in writers} == {"WRITE"}


BAD = ["..", "a/../b", "a/./b", "a//b", "%2e%2e/b", "a%2fb", "%252e%252e", "a%252fb", "a;b", "a%3bb", "a#b", "a%23b",
       "a\\b", "a%5cb", "a%00b", "a%0ab", "%ff", "/a"]  # fmt: skip


@pytest.mark.parametrize("path", BAD)
def test_it_refuses_ambiguous_paths(path):
    with pytest.raises(Invalid):
        rules.clean_path(path)


BAD_QUERIES = ["..", "a/../b", "a//b", "%2e%2e/b", "..%2fb", "%252e%252e", "a%3bb", "a%23b", "a%5cb", "a%00b", "/a"]


@pytest.mark.parametrize("path", BAD_QUERIES)
def test_it_refuses_ambiguous_path_parameters(path):
    with pytest.raises(Invalid):
        rules.check_query(f"run_id=1&path={path}".encode())


def test_it_takes_ordinary_names():
    assert rules.clean_path("a/b%20c/%C3%A9.txt") == "a/b c/é.txt"
    rules.check_query("run_id=1&path=plots/é x.png".encode())


PICTURE = "images/dog%25step%25{}%25timestamp%251795488206517%25{}c41c4c-a58d-46f5-b6ea-5adb37ff0e33{}"


@pytest.mark.parametrize("step", ["0", "1", "10", "25", "30", "999999"])
@pytest.mark.parametrize("end", [".png", "%25compressed.webp"])
def test_it_takes_the_pictures_of_older_clients(step, end):
    """Their time of 13 digits holds a "%17", so every log_image(key=…) of MLflow 2.22 and 3.0 was refused."""
    path = rules.clean_path(PICTURE.format(step, "m5", end))
    assert path == unquote(PICTURE.format(step, "m5", end))
    rules.check_query(b"path=" + PICTURE.format(step, "m5", end).encode())


@pytest.mark.parametrize("bad", [("1", "2f", ".png"), ("1", "5c", ".png"), ("1", "m5", "%252e"), ("00", "m5", ".png"),
                                 ("1", "m5", "/%252e%252e/x"), ("2f", "m5", ".png")])  # fmt: skip
def test_it_takes_nothing_else_that_looks_like_them(bad):
    with pytest.raises(Invalid):
        rules.clean_path(PICTURE.format(*bad))


@given(st.text(max_size=60))
def test_it_never_returns_a_path_that_climbs(text):
    try:
        path = rules.clean_path(text)
    except Invalid:
        return
    assert ".." not in path.split("/")
    assert not path.startswith("/")
    assert "\\" not in path
