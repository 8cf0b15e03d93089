from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from hub import cli
from hub.accounts import tokens
from hub.accounts.models import AuditEvent, User
from repos.models import Repository

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def covey(db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """covey("admin", …, stdin=) → exit code, standard output, standard error."""

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = cli.main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_it_creates_a_user_who_can_sign_in(covey: Run, client: Client) -> None:
    words = ("admin", "create-user", "dora", "--email", "dora@example.org", "--password-stdin")
    assert covey(*words, stdin="blue heron at dawn\n")[0] == 0
    person = User.objects.get(username="dora")
    assert person.check_password("blue heron at dawn")
    assert not person.is_superuser
    answer = client.post(reverse("account_login"), {"login": "dora@example.org", "password": "blue heron at dawn"})
    assert answer.status_code == 302
    assert AuditEvent.objects.filter(action="user.create", subject="dora").exists()


def test_it_makes_an_administrator_without_any_password(covey: Run) -> None:
    code, out, err = covey("admin", "create-user", "root1", "--email", "root@example.org", "--admin")
    assert (code, out) == (0, "")
    assert "/sign-in-link/" in err
    person = User.objects.get(username="root1")
    assert person.is_superuser
    assert not person.has_usable_password()


@pytest.mark.parametrize(
    ("name", "email", "password"),
    [
        ("alice", "new@example.org", "blue heron at dawn"),
        ("ALICE", "new@example.org", "blue heron at dawn"),
        ("bad name", "new@example.org", "blue heron at dawn"),
        ("../x", "new@example.org", "blue heron at dawn"),
        ("newbie", "alice@example.org", "blue heron at dawn"),
        ("newbie", "nonsense", "blue heron at dawn"),
        ("newbie", "new@example.org", "short"),
        ("newbie", "new@example.org", ""),
    ],
)
def test_it_refuses_a_bad_user_in_one_line(covey: Run, alice: User, name: str, email: str, password: str) -> None:
    code, out, err = covey("admin", "create-user", name, "--email", email, "--password-stdin", stdin=password + "\n")
    assert (code, out) == (2, "")
    assert err.startswith("covey: ")
    assert err.count("\n") == 1
    assert User.objects.count() == 1


def test_it_prints_the_token_alone(covey: Run, alice: User, private: Repository) -> None:
    words = ("--scopes", "repo:read, data:write", "--repository", "alice/PRIVATE", "--expires", "7")
    code, out, err = covey("admin", "create-token", "Alice", "--name", "ci", *words)
    assert (code, err) == (0, "")
    token = tokens.find(out.removesuffix("\n"))
    assert token is not None
    assert token.scopes == ["data:write", "repo:read"]
    assert token.repository == private
    assert (token.expires - token.created).days in {6, 7}


def test_a_token_writes_everywhere_by_default(covey: Run, alice: User) -> None:
    token = tokens.find(covey("admin", "create-token", "alice", "--name", "ci")[1].strip())
    assert token is not None
    assert set(token.scopes) == tokens.WRITE_SCOPES
    assert (token.expires - token.created).days in {89, 90}


@pytest.mark.parametrize(
    "words",
    [
        ("admin", "create-token", "nobody", "--name", "ci"),
        ("admin", "create-token", "alice", "--name", "ci", "--scopes", "repo:everything"),
        ("admin", "create-token", "alice", "--name", "ci", "--scopes", ""),
        ("admin", "create-token", "alice", "--name", "ci", "--expires", "0"),
        ("admin", "create-token", "alice", "--name", "ci", "--repository", "alice/absent"),
        ("admin", "create-token", "alice", "--name", "ci", "--repository", "absent"),
        ("admin", "repo-path", "alice/absent"),
        ("admin", "sign-in-link", "nobody"),
        ("rebuild-nothing",),
    ],
)
def test_it_says_no_in_one_line(covey: Run, alice: User, words: tuple[str, ...]) -> None:
    code, out, err = covey(*words)
    assert (code, out) == (2, "")
    assert err.startswith("covey: ")
    assert err.count("\n") == 1


def test_it_prints_the_bare_directory(covey: Run, private: Repository) -> None:
    assert covey("admin", "repo-path", "alice/private")[1].strip() == str(private.path)


def test_an_unknown_command_is_a_usage_error(covey: Run) -> None:
    with pytest.raises(SystemExit) as error:
        covey("fly")
    assert error.value.code == 2


def test_it_deactivates_and_reactivates(covey: Run, alice: User, token_of: Callable[..., str]) -> None:
    secret = token_of(alice)
    code, out, err = covey("admin", "deactivate", "Alice")
    assert (code, out) == (0, "")
    assert "alice is deactivated" in err
    assert tokens.find(secret) is None
    assert covey("admin", "create-token", "alice", "--name", "t")[0] != 0
    assert covey("admin", "reactivate", "alice")[0] == 0
    assert tokens.find(secret) is not None
    assert covey("admin", "deactivate", "nobody")[0] != 0
    assert [event.address for event in AuditEvent.objects.filter(subject="alice")] == ["console", "console"]
