"""The rows of one table: where they are read, pages, filters, sorts, columns, what cannot be read, who may."""

from __future__ import annotations

import gzip
import html
import io
import json
from typing import Any

import numpy
import pyarrow
import pytest
from pyarrow import feather, parquet

from datasets import results, sandboxed
from datasets.dvc import manifests
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.support.work import work

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/datasets/table/main"
CSV = b"id,name,price\n" + b"".join(b"%d,n%d,%d.5\n" % (n, n % 7, n % 50) for n in range(250))


def packed(table: pyarrow.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def columns(rows: int = 1000) -> dict[str, Any]:
    return {
        "id": numpy.arange(rows),
        "price": [None if n % 10 == 9 else float("nan") if n % 10 == 8 else n / 2 for n in range(rows)],
        "kind": [("cat", "dog", "cow")[n % 3] for n in range(rows)],
        "when": pyarrow.array([n * 86_400 for n in range(rows)], pyarrow.timestamp("s")),
        "ok": [n % 2 == 0 for n in range(rows)],
        "tags": [[n, n + 1] for n in range(rows)],
    }


@pytest.fixture
def project(private, writer, keep):
    results.forget(private.pk)
    made = writer(private)
    table = pyarrow.table(columns())
    arrow = io.BytesIO()
    feather.write_feather(table, arrow)
    stored = {
        "rows.parquet": packed(table, row_group_size=300),
        "rows.csv": CSV,
        "rows.csv.gz": gzip.compress(CSV),
        "rows.feather": arrow.getvalue(),
        "rows.jsonl": b"".join(b'{"id": %d, "name": "n%d"}\n' % (n, n) for n in range(120)),
        "liar.csv": packed(table),
        "text.parquet": CSV,
    }
    files: dict[str, Any] = {f"{n}.dvc": pointer(keep(private, data), n, size=len(data)) for n, data in stored.items()}
    folder = keep(private, manifests.dumps([("in/rows.csv", md5(CSV))]), suffix=".dir")
    files |= {
        "d.dvc": pointer(folder, "d"),
        "git.csv": CSV,
        "git.parquet": packed(table),
        "lost.csv.dvc": pointer(md5(b"?"), "lost.csv"),
        "README.md": "x",
        "bad.parquet": b"PAR1 nonsense PAR1",
        "ragged.csv": "a,b,a\n1,2,3\n4\n5,6,7,8\n",
        "empty.csv": "a,b\n",
        "nothing.csv": "",
        "odd.csv": "a:b,a,-a\n1:2,3,4\n",
    }
    made.commit(files)
    return made


def ask(client: Any, path: str, **query: Any) -> Any:
    response = client.get(f"{ADDRESS}/{path}", {"format": "json", **query})
    found = response.json() if response["Content-Type"] == "application/json" else {}
    return found | {"status": response.status_code}


@pytest.mark.parametrize(
    ("path", "rows", "format", "third"),
    [
        ("rows.parquet", 1000, "parquet", ["2", "1.0", "cow"]),
        ("git.parquet", 1000, "parquet", ["2", "1.0", "cow"]),
        ("rows.feather", 1000, "arrow", ["2", "1.0", "cow"]),
        ("liar.csv", 1000, "parquet", ["2", "1.0", "cow"]),
        ("rows.csv", 250, "csv", ["2", "n2", "2.5"]),
        ("rows.csv.gz", 250, "csv", ["2", "n2", "2.5"]),
        ("git.csv", 250, "csv", ["2", "n2", "2.5"]),
        ("d/in/rows.csv", 250, "csv", ["2", "n2", "2.5"]),
        ("rows.jsonl", 120, "jsonl", ["2", "n2"]),
    ],
)
def test_rows_of_every_kind_of_table(project, as_user, bob, path, rows, format, third):
    client = as_user(bob)
    if path.endswith((".gz", ".feather")):  # may be far more than they look like: always a job
        assert ask(client, path)["status"] == 202
        work()
    answer = ask(client, path)
    assert (answer["status"], answer["state"], answer["format"]) == (200, "done", format)
    assert (answer["total"], answer["pages"], len(answer["rows"])) == (rows, -(-rows // 100), 100)
    assert answer["rows"][2]["row"] == 3
    assert answer["rows"][2]["cells"][: len(third)] == third
    last = ask(client, path, page=str(answer["pages"]))["rows"]
    assert (last[-1]["row"], last[-1]["cells"][0]) == (rows, str(rows - 1))
    assert ask(client, path, page=str(answer["pages"] + 1))["status"] == 404
    assert not Job.objects.exclude(state="done").exclude(kind="datasets.sketch").exists()


def test_the_types_of_mixed_columns_have_names_that_people_know(private, writer, as_user, bob):
    results.forget(private.pk)
    rows = b'{"m": 1, "o": {"x": 1}}\n{"m": "a", "o": {"x": "b"}}\n'
    made = writer(private)
    made.commit({"m.jsonl": b'{"m": 1, "o": {"x": 1}}\n'})
    made.git("tag", "v1")
    made.commit({"m.jsonl": rows})
    types = {c["name"]: c["type"] for c in ask(as_user(bob), "m.jsonl")["columns"]}
    assert types == {"m": "json", "o": "struct<x: json>"}
    address = "/alice/private/datasets/diff/v1...main/m.jsonl?format=json"
    as_user(bob).get(address)
    work()
    retyped = as_user(bob).get(address).json()["schema"]["retyped"]
    assert [(one["name"], one["to"]) for one in retyped] == [("m", "json"), ("o", "struct(x json)")]


def test_cells_of_every_type(project, as_user, bob):
    rows = ask(as_user(bob), "rows.parquet")["rows"]
    assert rows[1]["cells"] == ["1", "0.5", "dog", "1970-01-02 00:00:00", "false", "[1, 2]"]
    assert [rows[8]["cells"][1], rows[9]["cells"][1]] == ["NaN", None]


FILTERS = [
    (["price:gt:10"], lambda n: n % 10 < 8 and n / 2 > 10),
    (["price:ge:10", "price:lt:12.5"], lambda n: n % 10 < 8 and 10 <= n / 2 < 12.5),
    (["id:lt:10.5"], lambda n: n < 10.5),
    (["kind:eq:cat"], lambda n: n % 3 == 0),
    (["kind:ne:cat", "id:le:20"], lambda n: n % 3 and n <= 20),
    (["kind:contains:O"], lambda n: n % 3),
    (["kind:starts:c"], lambda n: n % 3 != 1),
    (["price:null"], lambda n: n % 10 == 9),
    (["price:notnull", "id:lt:30"], lambda n: n % 10 != 9 and n < 30),
    (["when:ge:1970-01-11"], lambda n: n >= 10),
    (["ok:eq:True"], lambda n: n % 2 == 0),
    (["tags:null"], lambda n: False),
]


@pytest.mark.parametrize("cells", [20_000_000, 0], ids=["at once", "by a job"])
def test_filters(project, as_user, bob, monkeypatch, cells):
    monkeypatch.setattr("datasets.viewer.table_pages.AT_ONCE_CELLS", cells)
    client = as_user(bob)
    if not cells:
        for filters, _ in FILTERS:
            assert ask(client, "rows.parquet", filter=filters)["state"] == "queued"
        work()
    for filters, holds in FILTERS:
        answer = ask(client, "rows.parquet", filter=filters)
        expected = [n for n in range(1000) if holds(n)]
        assert (filters, answer["status"], answer["total"]) == (filters, 200, len(expected))
        assert [row["row"] for row in answer["rows"]] == [n + 1 for n in expected[:100]]
        assert [row["cells"][0] for row in answer["rows"]] == [str(n) for n in expected[:100]]


@pytest.mark.parametrize("cells", [20_000_000, 0], ids=["at once", "by a job"])
def test_sorts(project, as_user, bob, monkeypatch, cells):
    monkeypatch.setattr("datasets.viewer.table_pages.AT_ONCE_CELLS", cells)
    client = as_user(bob)
    asked = {"sort": ["kind", "-id"], "filter": "id:lt:300", "page": "2"}
    ask(client, "rows.parquet", **asked)
    work()
    answer = ask(client, "rows.parquet", **asked)
    expected = sorted(range(300), key=lambda n: (("cat", "dog", "cow")[n % 3], -n))
    assert [row["row"] - 1 for row in answer["rows"]] == expected[100:200]
    assert answer["sort"] == ["kind", "-id"]


def test_text_is_sorted_and_filtered_as_what_it_looks_like(project, as_user, bob):
    client = as_user(bob)
    down = ask(client, "git.csv", sort="-id")["rows"]
    assert [row["cells"][0] for row in down[:2]] == ["249", "248"]
    assert ask(client, "git.csv", filter="price:gt:48.5")["total"] == 5
    odd = ask(client, "odd.csv", filter="a:b:eq:1:2", sort="-a")
    assert (odd["total"], odd["sort"], odd["rows"][0]["cells"]) == (1, ["-a"], ["1:2", "3", "4"])


def test_only_as_many_rows_are_kept_as_can_be_paged(project, as_user, bob, monkeypatch):
    monkeypatch.setattr("datasets.viewer.table_pages.AT_ONCE_CELLS", 0)
    monkeypatch.setattr("datasets.viewer.table_pages.MAX_KEPT_ROWS", 150)
    client = as_user(bob)
    ask(client, "rows.parquet", sort="-id")
    work()
    answer = ask(client, "rows.parquet", sort="-id", page="2")
    assert (answer["total"], answer["pages"], len(answer["rows"])) == (1000, 2, 50)
    assert "the first 150 can be paged" in text(client.get(f"{ADDRESS}/rows.parquet?sort=-id"))


WRONG = [
    ("filter=price:gt:ten", "nothing that 'price'"),
    ("filter=price:over:10", "not known"),
    ("filter=cost:gt:10", "names no column"),
    ("filter=price", "not known"),
    ("filter=tags:eq:1", "can only be null"),
    ("filter=ok:gt:true", "nothing that 'ok'"),
    ("filter=id:eq:nan", "nothing that 'id'"),
    ("filter=when:eq:soon", "nothing that 'when'"),
    ("filter=kind:eq:%00", "no NUL"),
    ("sort=cost", "no column"),
    ("sort=tags", "no order"),
    ("show=cost", "no column"),
    ("row=0", "no row"),
    ("row=1001", "no row"),
    ("page=x", "not a page"),
    ("&".join(f"filter=id:gt:{n}" for n in range(21)), "At most 20 filters"),
]


def test_what_the_address_gets_wrong_is_said(project, as_user, bob):
    client = as_user(bob)
    for query, words in WRONG:
        response = client.get(f"{ADDRESS}/rows.parquet?{query}")
        assert response.status_code == 400
        assert words in html.unescape(text(response))
    assert "no column" in client.get(f"{ADDRESS}/rows.parquet?sort=cost&format=json").json()["error"]


def test_a_row_has_an_address(project, as_user, bob):
    client = as_user(bob)
    answer = ask(client, "rows.parquet", row="777")
    assert (answer["page"], answer["rows"][76]["row"]) == (8, 777)
    page = text(client.get(f"{ADDRESS}/rows.parquet?row=777"))
    assert '<tr id="row-777" class="data-table-chosen">' in page
    assert f'href="/alice/private/datasets/table/{project.tips["main"]}/rows.parquet?row=777#row-777"' in page


def test_wide_tables_come_in_parts_and_columns_are_found(private, writer, keep, as_user, bob):
    made = writer(private)
    data = packed(pyarrow.table({f"column_{n}": [n] for n in range(2000)}))
    made.commit({"wide.parquet.dvc": pointer(keep(private, data), "wide.parquet")})
    client = as_user(bob)
    answer = ask(client, "wide.parquet", part="3")
    assert (answer["total_columns"], len(answer["columns"])) == (2000, 30)
    assert answer["rows"][0]["cells"] == [str(n) for n in range(60, 90)]
    assert ask(client, "wide.parquet", part="99")["status"] == 404
    chosen = ask(client, "wide.parquet", show=["column_1999", "column_7"])
    assert [column["name"] for column in chosen["columns"]] == ["column_7", "column_1999"]
    page = client.get(f"{ADDRESS}/wide.parquet?find=column_19")
    assert len(page.content) < 150_000
    assert "+ column_19</a>" in text(page)
    assert "and 61 more" in text(page)
    assert ask(client, "wide.parquet", filter="column_1500:eq:1500", part="2")["total"] == 1


# ---- statistics, code --------------------------------------------------------------------------
def test_a_column_shows_what_it_holds_and_its_bars_filter(project, as_user, bob):
    client = as_user(bob)
    assert "Summing up" in text(client.get(f"{ADDRESS}/rows.parquet?column=kind"))
    work()
    page = text(client.get(f"{ADDRESS}/rows.parquet?column=kind"))
    assert "filter=kind%3Aeq%3Acat" in page
    assert "<dt>Distinct</dt><dd>3</dd>" in page
    assert "data-table-mini" in page
    page = client.get(f"{ADDRESS}/rows.parquet?column=id")
    found = 0
    for bar, _url in page.context["panel_bars"]:
        found += ask(client, "rows.parquet", filter=[f"id:{op}:{value}" for op, value in bar.filters])["total"]
    assert found == 1000


def test_code_names_the_hub_and_no_secret(project, as_user, bob, settings):
    page = text(as_user(bob).get(f"{ADDRESS}/rows.parquet"))
    address = f"{settings.COVEY_URL}/alice/private/raw/{project.tips['main']}/rows.parquet"
    assert page.count(address) == 3
    assert "Bearer YOUR-TOKEN" in page


# ---- what is missing or broken -----------------------------------------------------------------
def test_what_was_never_pushed_teaches_to_push_it(project, as_user, bob):
    client = as_user(bob)
    answer = ask(client, "lost.csv")
    assert (answer["status"], answer["state"]) == (200, "missing")
    assert answer["missing"] == [{"path": "lost.csv", "pointer": "lost.csv.dvc"}]
    assert "dvc push" in text(client.get(f"{ADDRESS}/lost.csv"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("bad.parquet", "not a Parquet file"),
        ("nothing.csv", "empty"),
        ("text.parquet", "named like parquet, but is none"),
    ],
)
def test_what_cannot_be_read_says_so(project, as_user, bob, path, words):
    client = as_user(bob)
    for _ in range(2):
        response = client.get(f"{ADDRESS}/{path}")
        assert response.status_code == 422
        assert words in text(response)
    assert ask(client, path)["state"] == "failed"


def test_what_takes_too_long_says_so_and_is_tried_again(project, as_user, bob, monkeypatch):
    client = as_user(bob)
    with monkeypatch.context() as hurry:
        hurry.setattr(sandboxed, "SECONDS", 0.001)
        response = client.get(f"{ADDRESS}/rows.parquet")
    assert response.status_code == 422
    assert "too much time or memory" in text(response)
    assert client.get(f"{ADDRESS}/rows.parquet").status_code == 200


def test_ragged_rows_and_repeated_names(project, as_user, bob):
    answer = ask(as_user(bob), "ragged.csv")
    assert [column["name"] for column in answer["columns"]] == ["a", "b", "a (3)"]
    assert [row["cells"] for row in answer["rows"]] == [["1", "2", "3"], ["4", None, None], ["5", "6", "7"]]
    assert len(answer["notes"]) == 2


def test_a_table_without_rows_shows_its_columns(project, as_user, bob):
    client = as_user(bob)
    assert ask(client, "empty.csv")["rows"] == []
    assert "<code>b</code>" in text(client.get(f"{ADDRESS}/empty.csv"))


def test_a_large_text_file_is_made_ready_by_a_job(project, as_user, bob, monkeypatch):
    monkeypatch.setattr("datasets.viewer.viewing.AT_ONCE_BYTES", 10)
    client = as_user(bob)
    assert ask(client, "git.csv")["status"] == 202
    page = text(client.get(f"{ADDRESS}/git.csv"))
    assert "Waiting for a worker" in page
    job = Job.objects.get(kind="datasets.table-prepare")
    assert client.post(f"/alice/private/datasets/diffs/{job.pk}/cancel").json() == {"state": "cancelled"}
    assert ask(client, "git.csv")["status"] == 409
    client.post(f"/alice/private/datasets/diffs/{job.pk}/again")
    work()
    assert ask(client, "git.csv")["total"] == 250
    results.forget(project.repository.pk)
    assert ask(client, "git.csv")["status"] == 202  # what was swept is made again
    work()
    assert ask(client, "git.csv")["total"] == 250


def test_cells_of_strangers_stay_text(private, writer, as_user, bob):
    writer(private).commit({"x.csv": "id,<b>\n1,<script>1</script>\n"})
    page = text(as_user(bob).get(f"{ADDRESS}/x.csv"))
    assert "&lt;script&gt;1&lt;/script&gt;" in page
    assert "<b>" not in page


def test_who_may_and_what_is_not_there(project, as_user, bob, charlie):
    for user in (charlie, None):
        assert as_user(user).get(f"{ADDRESS}/git.csv").status_code == 404
    client = as_user(bob)
    assert client.post(f"{ADDRESS}/git.csv").status_code == 405
    for path in ("none.csv", "README.md", "d", ""):
        assert client.get(f"{ADDRESS}/{path}").status_code == 404


def test_the_api_answers_the_same(project, as_user, bob, charlie, token_of):
    client, address = as_user(None), "/api/v1/repos/alice/private/datasets/table/main/rows.parquet"
    bearer = {user: {"Authorization": f"Bearer {token_of(user)}"} for user in (bob, charlie)}
    found = client.get(f"{address}?filter=id:lt:3&sort=-id", headers=bearer[bob]).json()
    assert [row["row"] for row in found["rows"]] == [3, 2, 1]
    assert found == as_user(bob).get(f"{ADDRESS}/rows.parquet?format=json&filter=id:lt:3&sort=-id").json()
    assert client.get(f"{address}?filter=x", headers=bearer[bob]).status_code == 400
    assert client.post(address, headers=bearer[bob]).status_code == 405
    assert client.get(address, headers=bearer[charlie]).status_code == 404
    assert client.get(address).status_code == 401
    narrow = {"Authorization": f"Bearer {token_of(bob, scopes=['repo:read'])}"}
    assert client.get(address, headers=narrow).status_code == 403


def test_the_number_of_queries_does_not_grow(project, as_user, bob, django_assert_max_num_queries):
    client = as_user(bob)
    for path in ("rows.parquet", "git.csv"):
        client.get(f"{ADDRESS}/{path}")
        work()
        with django_assert_max_num_queries(14):
            client.get(f"{ADDRESS}/{path}?filter=id:lt:200&sort=-id&column=id")


def test_json_is_json(project, as_user, bob):
    body = as_user(bob).get(f"{ADDRESS}/rows.parquet?format=json").content
    json.loads(body, parse_constant=pytest.fail)
