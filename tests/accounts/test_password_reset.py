from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from hub.accounts.models import AuditEvent, User
from hub.jobs.models import Outbox

URL = "/account/password/forgotten"


def link_in(body: str) -> str:
    found = re.search(r"https?://[^/]+(/account/password/new/\S+)", body)
    assert found, body
    return found.group(1)


def test_it_mails_one_link_that_works_once(client: Client, alice: User, mailbox: Any) -> None:
    client.post(URL, {"email": "alice@example.org"})
    [mail] = mailbox()
    assert mail.to == ["alice@example.org"]
    link = link_in(mail.body)
    form = client.get(link, follow=True)
    new = {"password1": "a brand new secret", "password2": "a brand new secret"}
    client.post(form.redirect_chain[-1][0], new)
    alice.refresh_from_db()
    assert alice.check_password("a brand new secret")
    assert AuditEvent.objects.filter(action="password.reset", owner_id=alice.owner_id).exists()
    again = Client().get(link, follow=True)
    assert "does not work any more" in again.content.decode()


def test_it_answers_the_same_for_an_unknown_address_and_mails_nobody(client: Client, alice: User, mailbox: Any) -> None:
    known = client.post(URL, {"email": "alice@example.org"})
    unknown = client.post(URL, {"email": "stranger@example.net"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [mail.to for mail in mailbox()] == [["alice@example.org"]]


@pytest.mark.parametrize(
    "body",
    [
        "email=alice@example.org&email=evil@example.net",
        "email=evil@example.net&email=alice@example.org",
        "email[]=alice@example.org&email[]=evil@example.net",
        "email=alice@example.org&email[]=evil@example.net",
        "email=alice@example.org%2Cevil@example.net",
        "email=alice@example.org%0Aevil@example.net",
    ],
)
def test_it_never_mails_two_addresses(client: Client, alice: User, mailbox: Any, body: str) -> None:
    """GitLab's CVE-2023-7028: email[]=victim&email[]=attacker mailed the link to both."""
    response = client.post(URL, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code in {200, 400}
    assert mailbox() == []


def test_the_link_names_our_own_address_whatever_the_host_header(client: Client, alice: User, mailbox: Any) -> None:
    client.post(URL, {"email": "alice@example.org"}, HTTP_HOST="localhost:9")
    [mail] = mailbox()
    assert "localhost:9" not in mail.body


def test_no_link_is_stored(client: Client, alice: User, mailbox: Any) -> None:
    client.post(URL, {"email": "alice@example.org"})
    [mail] = mailbox()
    key = link_in(mail.body).rsplit("-", 1)[-1]
    assert not [row for row in Outbox.objects.all() if key in str(row.payload)]


def test_it_is_limited_per_address(client: Client, alice: User) -> None:
    answers = [client.post(URL, {"email": "alice@example.org"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert answers[-1]["Retry-After"]
