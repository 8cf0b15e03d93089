"""Keys of tables, said in the settings: the page and what a diff takes of it."""

from __future__ import annotations

import pytest

from datasets.models import TableKey
from datasets.tracked import declared_keys
from hub.lib.errors import Unprocessable
from tests.datasets.test_diff_files import ask

pytestmark = pytest.mark.django_db
PAGE = "/alice/private/settings/data"
ONE, TWO = b"id,name\n1,ann\n2,bob\n", b"id,name\n1,ann\n3,bob\n"


@pytest.fixture
def project(private, writer):
    made = writer(private)
    made.commit({"data/a.csv": ONE})
    made.git("tag", "v1")
    made.commit({"data/a.csv": TWO})
    return made


def test_a_diff_takes_the_key_of_the_settings_but_the_commits_own_first(project, private, as_user, alice):
    client = as_user(alice)
    assert client.post(f"{PAGE}/add", {"pattern": "/data/*.csv", "columns": "name, "}).status_code == 302
    assert "data/*.csv" in client.get(PAGE).content.decode()
    found = ask(client, "v1...main/data/a.csv").json()
    assert (found["key"]["columns"], found["key"]["declared"]) == (["name"], True)
    project.commit({".covey/config.yml": "datasets: {keys: {data/a.csv: id}}"})
    assert ask(client, "v1...main/data/a.csv").json()["key"]["columns"] == ["id"]
    project.commit({".covey/config.yml": None})
    client.post(f"{PAGE}/{TableKey.objects.get().pk}/remove")
    assert not ask(client, "v1...main/data/a.csv").json()["key"]["declared"]


def test_saving_a_path_again_replaces_its_columns(private, as_user, alice):
    for columns in ("id", "shop,day"):
        as_user(alice).post(f"{PAGE}/add", {"pattern": "a.csv", "columns": columns})
    assert TableKey.objects.get().columns == ["shop", "day"]


@pytest.mark.parametrize(
    ("pattern", "columns"), [("", "id"), ("a.csv", " , "), ("a" * 301, "id"), ("a.csv", ",".join("abcdefghijklmnopq"))]
)
def test_what_is_no_key_is_said_and_kept_in_the_form(private, as_user, alice, pattern, columns):
    answer = as_user(alice).post(f"{PAGE}/add", {"pattern": pattern, "columns": columns})
    assert answer.status_code == 422
    assert "A key needs a path" in answer.content.decode()
    assert not TableKey.objects.exists()


def test_their_number_is_bounded(private):
    for number in range(declared_keys.MAX_PATTERNS):
        declared_keys.put(private, f"{number}.csv", ["id"])
    declared_keys.put(private, "0.csv", ["name"])
    with pytest.raises(Unprocessable, match="200 keys"):
        declared_keys.put(private, "more.csv", ["id"])


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/add", f"{PAGE}/1/remove"])
def test_it_is_for_administrators(private, as_user, bob, charlie, client, path):
    method = "get" if path == PAGE else "post"
    other = "post" if path == PAGE else "get"
    assert getattr(as_user(bob), method)(path).status_code == 403
    assert getattr(as_user(charlie), method)(path).status_code == 404
    assert getattr(client, method)(path).status_code == 404
    assert getattr(as_user(bob), other)(path).status_code == 405


def test_a_key_of_another_repository_stays(private, public, as_user, alice):
    declared_keys.put(public, "a.csv", ["id"])
    as_user(alice).post(f"{PAGE}/{TableKey.objects.get().pk}/remove")
    assert TableKey.objects.exists()
