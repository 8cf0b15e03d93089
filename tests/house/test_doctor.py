from __future__ import annotations

import email.utils
import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.utils import timezone

from hub import cli, doctor, prepare
from hub.accounts.models import User
from hub.jobs.models import Outbox
from hub.lib.stores import object_store
from repos.models import Push, RefUpdate, Repository
from tests.support.services import free_port


def finding(part: str) -> doctor.Finding:
    return next(found for found in doctor.examine() if found.part == part)


@pytest.fixture
def late_store() -> Iterator[str]:
    """An HTTP server whose clock is an hour behind."""

    class Late(http.server.BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return email.utils.formatdate(time.time() - 3600, usegmt=True)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Late)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_it_finds_a_healthy_hub_well(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[1] for line in lines if line.startswith("ok")} >= {
        "git",
        "database",
        "store",
        "broker",
        "cache",
    }
    assert code == int(any(line.startswith("FAIL") for line in lines))


def test_it_says_when_git_is_missing(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL git" in out
    assert "fix: Install git 2.38 or newer." in out


def test_it_names_a_store_that_does_not_answer(db: None, settings: Any) -> None:
    settings.COVEY_S3_ENDPOINT = f"http://127.0.0.1:{free_port()}"
    object_store.cache_clear()
    try:
        assert "COVEY_S3" in finding("store").fix
        assert "COVEY_S3_ENDPOINT" in finding("clock").fix
    finally:
        object_store.cache_clear()


def test_it_notices_a_clock_that_is_off(db: None, settings: Any, late_store: str) -> None:
    settings.COVEY_S3_ENDPOINT = late_store
    found = doctor._ask("clock", doctor.store_clock)
    assert "NTP" in found.fix
    assert "3600 s apart" in found.text or "3601 s apart" in found.text


def test_it_notices_that_no_worker_runs(db: None) -> None:
    row = Outbox.objects.create(topic="repos.pushed", payload={})
    assert not finding("worker").fix
    Outbox.objects.filter(pk=row.pk).update(
        next_attempt=timezone.now() - timedelta(hours=1), last_error="OSError: disk full"
    )
    found = finding("worker")
    assert "covey worker" in found.fix
    assert "disk full" in found.text


def test_it_names_a_mail_server_that_does_not_answer(db: None, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL = settings.EMAIL_URL._replace(scheme="smtp")
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert "EMAIL_URL" in finding("mail").fix


def test_it_warns_of_passwords_in_clear(db: None, settings: Any) -> None:
    settings.PRODUCTION, settings.HTTPS, settings.COVEY_URL = True, False, "http://localhost"
    assert "https" in finding("address").fix
    settings.HTTPS, settings.COVEY_URL = True, "https://localhost"
    assert not finding("address").fix


def test_it_notices_another_secret_key(alice: User, settings: Any) -> None:
    Authenticator.objects.create(
        user=alice, type=Authenticator.Type.TOTP, data={"secret": get_adapter().encrypt("ABCDEFGH" * 4)}
    )
    assert not finding("secret").fix
    settings.SECRET_KEY = "another one " * 5
    assert "SECRET_KEY" in finding("secret").fix


def test_it_notices_that_static_files_are_gone(db: None, settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    assert "Restart" in finding("static").fix
    prepare.collect_static()
    assert not finding("static").fix


def test_it_notices_that_git_is_gone(private: Repository, alice: User) -> None:
    """After a restore of databases alone, or when the disk is not mounted."""
    shutil.rmtree(private.path, ignore_errors=True)
    assert not finding("refs").fix  # nobody has pushed
    push = Push.objects.create(repository=private, user=alice, state=Push.State.DONE)
    RefUpdate.objects.create(push=push, ref="refs/heads/main", old="0" * 40, new="1" * 40, applied=True)
    assert private.full_name in finding("refs").text
