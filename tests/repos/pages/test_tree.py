"""The listing of a directory."""

from __future__ import annotations

import gzip
from html import unescape

import pytest

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


def test_it_lists_files_with_their_last_commits(project, alice, as_user):
    page = as_user(alice).get(f"{BASE}/tree/main").content.decode()
    assert "README.md" in page
    assert "data.csv" in page
    assert page.count(">Add data<") >= 2  # the bar, and the row of data.csv
    assert ">First<" in page


@pytest.mark.parametrize("address", [f"{BASE}/tree", f"{BASE}/tree/"])
def test_without_a_rev_it_leads_to_the_default_branch(project, alice, charlie, as_user, address):
    answer = as_user(alice).get(address, follow=True)
    assert answer.redirect_chain[-1] == (f"{BASE}/tree/main", 302)
    assert as_user(charlie).get(address, follow=True).status_code == 404


def test_without_a_rev_an_empty_repository_leads_to_its_front_page(private, writer, alice, as_user):
    writer(private)
    assert as_user(alice).get(f"{BASE}/tree").headers["Location"] == BASE


def test_home_shows_the_default_branch_and_readme(project, alice, as_user):
    page = as_user(alice).get(BASE).content.decode()
    assert f'{BASE}/tree/main/src"' in page
    assert "Hello." in page
    assert "git clone" in page


def test_an_empty_repository_teaches_the_first_push(private, writer, alice, as_user):
    writer(private)
    assert "git push" in as_user(alice).get(BASE).content.decode()


def test_the_longest_branch_wins(project, alice, as_user):
    project.commit({"a/b": "on the long branch\n", "x/a/b": "inside x\n"}, branch="feature/x")
    client = as_user(alice)
    assert "on the long branch" in client.get(f"{BASE}/blob/feature/x/a/b").content.decode()
    assert "inside x" in client.get(f"{BASE}/blob/feature/x/x/a/b").content.decode()


def test_a_full_id_works(project, alice, as_user):
    sha = project.tips["main"]
    assert as_user(alice).get(f"{BASE}/tree/{sha}").status_code == 200
    assert as_user(alice).get(f"{BASE}/tree/{sha[:9]}/src").status_code == 200


def test_a_directory_opened_as_a_file_goes_to_the_tree(project, alice, as_user):
    answer = as_user(alice).get(f"{BASE}/blob/main/src")
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}/tree/main/src")
    answer = as_user(alice).get(f"{BASE}/tree/main/data.csv")
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}/blob/main/data.csv")


def test_dagshubs_address_leads_to_the_tree(project, alice, as_user):
    answer = as_user(alice).get(f"{BASE}/src/main/src/deep")
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}/tree/main/src/deep")


ABSENT = ["nothing", "main/nothing", "main/../../config", "..%2f..%2fconfig", "main/%00", "--output=x", "-n1"]
ABSENT += ["main/src/model.py/x", "main//src", "refs/exps/ab/cd", "HEAD~1", "main@{0}", "main:src", "config"]
ABSENT += ["main.lock", "0" * 40, "x" * 3000, "%ff%fe", "main/src/%ff", "refs/heads", "refs/heads/../../config"]


@pytest.mark.parametrize("rest", ABSENT)
def test_what_is_not_there_is_not_found(project, alice, as_user, rest):
    for page in ("tree", "blob", "commits", "tree-commits"):
        assert as_user(alice).get(f"{BASE}/{page}/{rest}").status_code == 404, page


def test_hidden_refs_stay_hidden(project, alice, as_user):
    project.git("update-ref", "refs/exps/ab/cd/main/exp-1", project.tips["main"])
    assert as_user(alice).get(f"{BASE}/tree/refs/exps/ab/cd/main/exp-1").status_code == 404
    assert "exp-1" not in as_user(alice).get(BASE).content.decode()


ODD = [
    b"a b",
    b"100%",
    b"q?x=1",
    b"h#1",
    b'"quoted"',
    b"back\\slash",
    b"new\nline",
    b"\xff\xfe.txt",
    "ünïcode".encode(),
]
ODD += [b"<script>alert(1)<", b"-rf", b"--output=x", b"a;b&c", b"+plus", b":(top)x", b"*", b"\x01\x7f"]


def test_odd_names_are_shown_and_opened(project, alice, as_user, get_bytes):
    """Every link of the listing opens its file, whatever bytes the name has."""
    project.commit({b"odd/" + name: b"content of %d" % i for i, name in enumerate(ODD)})
    client = as_user(alice)
    page = client.get(f"{BASE}/tree/main/odd").content.decode()
    assert "<script>alert" not in page
    links = [unescape(part.split('"')[0]) for part in page.split('</svg><a href="')[1:]]
    links = [link for link in links if "/blob/" in link]
    assert len(links) == len(ODD)
    shown = [get_bytes(alice, link).content.decode() for link in links]
    for i in range(len(ODD)):
        assert sum(f"content of {i}\n" in text for text in shown) == 1
    for link in links:
        assert get_bytes(alice, link.replace("/blob/", "/commits/")).status_code == 200


def test_links_and_submodules_are_shown_and_never_followed(project, alice, as_user):
    project.commit({"evil": ("120000", "/etc/passwd"), "up": ("120000", ".."), "lib": ("160000", "1" * 40)})
    client = as_user(alice)
    assert "Submodule" in client.get(f"{BASE}/tree/main").content.decode()
    page = client.get(f"{BASE}/blob/main/evil").content.decode()
    assert "/etc/passwd" in page
    assert "root:" not in page
    assert client.get(f"{BASE}/tree/main/up/src").status_code == 404
    assert client.get(f"{BASE}/blob/main/lib").status_code == 200


def test_a_thousand_entries_are_paged(project, alice, as_user):
    project.commit({f"many/{i:05}": "x" for i in range(1200)})
    first = as_user(alice).get(f"{BASE}/tree/main/many").content.decode()
    second = as_user(alice).get(f"{BASE}/tree/main/many?page=2").content.decode()
    assert '/many/00999"' in first
    assert '/many/01000"' not in first
    assert '/many/01199"' in second
    assert as_user(alice).get(f"{BASE}/tree/main/many?page=9").status_code == 404


def test_it_asks_few_queries(project, alice, as_user, django_assert_max_num_queries):
    client = as_user(alice)
    for path in (f"{BASE}/tree/main", BASE, f"{BASE}/blob/main/data.csv", f"{BASE}/commits/main"):
        with django_assert_max_num_queries(12):
            assert client.get(path).status_code == 200


def test_a_thousand_entries_ask_no_more_and_travel_compressed(project, alice, as_user, django_assert_max_num_queries):
    for part in range(4):
        project.commit({f"many/entry {i:05}.txt": "x" for i in range(part * 250, part * 250 + 250)}, f"Part {part}")
    client = as_user(alice)
    plain = client.get(f"{BASE}/tree/main/many").content
    with django_assert_max_num_queries(12):
        answer = client.get(f"{BASE}/tree/main/many", headers={"Accept-Encoding": "gzip, br"})
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    unpacked = gzip.decompress(answer.content)
    assert unpacked.count(b"<tr>") == plain.count(b"<tr>") > 1000
    assert unpacked.count(b">Part 2</a>") == 250
    assert len(answer.content) < len(plain) / 5
