"""A forgotten password: the mail leaves the worker of a running hub by SMTP, and its link lets its owner in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message as Mail
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.support import services
from tests.support.hub import Hub, embedded_hub

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]
PASSWORD = "a new and quite different phrase"


class Postbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []

    def handle_message(self, message: Mail) -> None:
        self.mails.append(message)


@pytest.fixture(scope="module")
def postbox() -> Iterator[Controller]:
    server = Controller(Postbox(), hostname="127.0.0.1", port=services.free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def hub(postbox: Controller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made: Hub = embedded_hub(Path(tmp_path_factory.mktemp("mail")), ready=True)
    made.environment |= {"EMAIL_URL": f"smtp+plain://127.0.0.1:{postbox.port}", "EMAIL_FROM": "hub@example.org"}
    try:
        made.start()
        made.user("mona")
        yield made
    finally:
        made.stop()


@pytest.fixture
def browser(hub: Hub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url, follow_redirects=True, timeout=60) as client:
        yield client


def submit(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    page = browser.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text
    answer = browser.post(
        page.url, data={"csrfmiddlewaretoken": token[1], **fields}, headers={"referer": str(page.url)}
    )
    assert answer.status_code == 200, answer.text
    return answer


def test_a_mailed_link_sets_a_new_password(postbox, browser):
    submit(browser, "/account/password/forgotten", email="mona@example.org")
    services.wait_until(lambda: postbox.handler.mails, what="the mail")
    (mail,) = postbox.handler.mails
    assert mail["To"] == "mona@example.org"
    assert mail["From"] == "hub@example.org"
    (link,) = re.findall(r"https?://\S+/account/password/\S+", mail.get_payload(decode=True).decode())
    assert urlsplit(link).netloc == browser.base_url.netloc.decode()
    submit(browser, link, password1=PASSWORD, password2=PASSWORD)
    page = submit(browser, "/account/login", login="mona", password=PASSWORD)
    assert "mona" in page.text
    assert browser.get("/settings/tokens").status_code == 200


def test_an_unknown_address_gets_the_same_answer(browser):
    def told(name: str) -> str:
        answer = submit(browser, "/account/password/forgotten", email=f"{name}@example.org")
        return re.sub(r'value="[^"]+"|X-CSRFToken": "\w+', "", answer.text)

    assert told("mona") == told("nobody")
