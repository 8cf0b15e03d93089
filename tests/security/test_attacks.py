"""What hurt other hubs, asked of this one in process: a row of the list of attacks, the request, the safe answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.accounts.models import AccessToken
from hub.lib.errors import Unprocessable
from repos import policy
from repos.git.store import ZERO, RefChange
from repos.models import Repository, Transfer
from repos.storage import store
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=x"}
UPLOAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\nhi\r\n--x--\r\n'
API = "/api/v1/repos/alice/private"
MLFLOW = "/alice/private.mlflow/api/2.0/mlflow"


@pytest.fixture(autouse=True)
def on_disk(settings, tmp_path: Path, private: Repository, public: Repository) -> None:
    settings.GIT_ROOT = tmp_path / "git"
    for repository in (private, public):
        store().create(repository.pk)


@pytest.mark.parametrize(
    "name", [b".git/config", b"../x", b"/etc/passwd", b"a/../../x", b".GIT/hooks/x", b"git~1/x", b"a\\b", b"..", b""]
)
def test_row_1_no_upload_writes_outside_the_tree(alice, token_of, name):
    headers = {**basic(token_of(alice)), **FORM}
    answer = ask("PUT", f"{API}/contents/main/a", headers=headers, body=[UPLOAD % name])
    assert answer.status == 422, answer.text


WRITES = [
    ("POST", "/api/v1/user/repos", {"name": "n"}),
    ("POST", "/api/v1/user/tokens", {"name": "n"}),
    ("DELETE", "/api/v1/user/tokens/1", None),
    ("POST", "/api/v1/user/transfers/1/accept", None),
    ("PUT", "/api/v1/user/starred/alice/public", None),
    ("PATCH", API, {"private": False}),
    ("DELETE", API, None),
    ("POST", f"{API}/branches", {"name": "b"}),
    ("POST", f"{API}/tags", {"name": "b"}),
    ("PUT", f"{API}/collaborators/bob", {"permission": "admin"}),
    ("PUT", f"{API}/topics", {"topics": ["t"]}),
    ("POST", f"{API}/transfer", {"new_owner": "bob"}),
    ("PUT", f"{API}/content/main/a", None),
    ("POST", "/alice/private/upload/main", None),
    ("GET", "/alice/private.git/info/refs?service=git-receive-pack", None),
    ("POST", "/alice/private.git/git-receive-pack", None),
    ("POST", "/alice/private/git-receive-pack", None),
    ("PUT", "/alice/private.dvc/files/md5/00/" + "0" * 30, None),
    ("POST", "/alice/private.dvc/00/" + "0" * 30, None),
    ("POST", f"{MLFLOW}/runs/create", {"experiment_id": "0"}),
    ("POST", f"{MLFLOW}/experiments/create", {"name": "n"}),
    ("PUT", f"{MLFLOW}-artifacts/artifacts/0/x", None),
]


@pytest.mark.parametrize(("method", "path", "document"), WRITES)
def test_row_19_a_reading_token_writes_through_no_door(alice, token_of, method, path, document):
    secret = token_of(alice, scopes=["repo:read", "data:read", "experiments:read", "account:read"])
    body = [json.dumps(document).encode()] if document else []
    headers = {**JSON, "content-length": str(len(b"".join(body)))}
    for credential in (basic(secret), {"authorization": f"Bearer {secret}"}):
        assert ask(method, path, headers={**credential, **headers}, body=body).status == 403


@pytest.mark.parametrize(
    "path", ["/api/v1/user?{}", "/alice/private/raw/main/f?{}", f"{MLFLOW}/runs/get?run_id=1&{{}}"]
)
def test_row_20_a_token_in_the_address_opens_nothing(alice, token_of, path):
    for name in ("token", "access_token", "private_token"):
        assert ask("GET", path.format(f"{name}={token_of(alice)}")).status == 401


@pytest.mark.parametrize(
    "ref",
    [
        "refs/pull/1/head",
        "refs/internal/keep",
        "refs/heads/refs/pull/1/head",
        "refs/heads/-x",
        "HEAD",
        "refs/heads/HEAD",
    ],
)
def test_row_6_refs_of_the_server_and_what_looks_like_them_are_refused(ref):
    with pytest.raises(Unprocessable):
        policy.check_name(RefChange(ref, ZERO, "1" * 40))


# ---- row 19: what a token bound to one repository may know of the rest --------------------------
@pytest.fixture
def bound(alice, public, token_of) -> dict[str, str]:
    scopes = ["repo:write", "data:write", "experiments:write", "account:write"]
    return basic(token_of(alice, scopes=scopes, repository_id=public.pk))


def test_a_bound_token_neither_sees_nor_ends_the_others(alice, private, bound, token_of):
    token_of(alice)
    token_of(alice, repository_id=private.pk)
    others = AccessToken.objects.exclude(repository__name="public")
    shown = ask("GET", "/api/v1/user/tokens", headers=bound)
    assert [token["repository"] for token in json.loads(shown.body)] == ["alice/public"]
    for other in others:
        assert ask("DELETE", f"/api/v1/user/tokens/{other.pk}", headers=bound).status == 404
    assert not others.exclude(revoked=None).exists()


def test_a_bound_token_sees_no_offers_of_other_repositories(alice, bob, bound):
    theirs = Repository.objects.create(owner=bob.owner, name="hidden", private=True)
    Transfer.objects.create(repository=theirs, recipient=alice.owner, offered_by=bob)
    answer = ask("GET", "/api/v1/user/transfers", headers=bound)
    assert answer.status == 403
    assert "hidden" not in answer.text


# ---- rows 32 and 35: odd bytes, and what every answer carries ------------------------------------
@pytest.mark.parametrize("header", ["Basic \xff\xfe", "Basic é", "Basic ====", "Bearer \xff", "Basic", "\xff"])
def test_a_credential_of_odd_bytes_is_a_bad_credential(header):
    from asyncio import run

    from tests.support import asgi

    for path in ("/alice/private.git/info/refs?service=git-upload-pack", "/alice/private/raw/main/f", f"{API}/raw/m/f"):
        answer = run(asgi.exchange("GET", path, headers={"authorization": header}))
        assert answer.status == 401


@pytest.mark.parametrize(
    "path",
    ["/explore?q=%00", "/api/v1/repos/search?q=a%00", "/alice/public/commits/main/a%00b", f"{API}/commits?path=%00"],
)
def test_a_nul_in_the_address_is_refused(alice, token_of, path):
    wanted = 400 if "?" in path else 404
    assert ask("GET", path, headers=basic(token_of(alice))).status == wanted


@pytest.mark.parametrize("browser", [False, True])
@pytest.mark.parametrize(
    "path",
    ["/", "/alice/public", "/alice/private", "/api/v1/repos/alice/public", "/alice/private.git/info/refs", "/nobody/x",
     "/alice/private.dvc/x", "/alice/private.mlflow/x", "/alice/public/raw/main/f", f"{API}/raw/main/f", "/explore%00",
     "/alice/public.mlflow", "/alice/public.git/info/refs?service=git-upload-pack", "/account/login"],
)  # fmt: skip
def test_every_answer_is_neither_guessed_nor_shared_nor_live(path, browser):
    headers = {"accept": "text/html", "sec-fetch-mode": "navigate"} if browser else {}
    answer = ask("GET", path, headers=headers)
    assert answer.status < 500
    given = {name.lower(): value for name, value in answer.headers.items()}
    assert given["x-content-type-options"] == "nosniff"
    assert given["cross-origin-resource-policy"] == "same-origin"
    assert given["content-security-policy"]
    kept = given["cache-control"]
    assert "no-store" in kept or "no-cache" in kept or kept.startswith("private")


# ---- row 36: nothing of the hub on the host of strangers' files ----------------------------------
@pytest.mark.parametrize("host", ["raw.testserver:9", "raw.testserver", "raw.testserver.:9", "RAW.testserver:9"])
@pytest.mark.parametrize("path", ["/", "/account/login", "/alice/public", "/api/v1/user"])
def test_row_36_no_page_of_the_hub_lives_on_the_raw_host(settings, host, path):
    settings.RAW_HOST = "raw.testserver:9"
    settings.ALLOWED_HOSTS = ["testserver", "raw.testserver"]
    answer = ask("GET", path, headers={"host": host})
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("how", [{}, {"accept": "application/json"}, {"hx-request": "true"}])
@pytest.mark.parametrize("page", ["", "/issues", "/tree/main", "/datasets/diff/a...b/c?format=json", "/nothing"])
def test_row_32_a_private_page_has_the_headers_and_the_size_of_an_absent_one(page, how):
    def told(name: str) -> tuple[int, int, dict[str, str | None]]:
        answer = ask("GET", f"/alice/{name}{page}", headers={"accept-encoding": "gzip", **how})
        return answer.status, len(answer.body), answer.headers | dict.fromkeys(["X-Request-ID", "Set-Cookie"])

    assert told("private") == told("missing")
    assert told("private")[0] == 404


def test_row_32_what_is_absent_takes_as_many_queries_as_what_is_private(charlie, client, django_assert_max_num_queries):
    """All of them prepared: making the SQL of one takes longer than all the rest."""
    client.force_login(charlie)
    counts = []
    for name in ("private", "missing", "private", "missing"):
        with django_assert_max_num_queries(20) as asked:
            assert client.get(f"/alice/{name}/issues?format=json").status_code == 404
        counts.append(len(asked))
    assert counts[2] == counts[3], counts
