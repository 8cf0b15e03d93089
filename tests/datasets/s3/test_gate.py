"""Who may do what at the S3 endpoint: every operation is asked by a stranger, a reader, nobody, and a bad key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from datasets.s3 import surface
from hub.accounts import tokens
from hub.accounts.models import AccessToken
from repos.models import Access, Membership
from tests.datasets.s3.test_objects import code
from tests.support import s3
from tests.support.asgi import ask, basic
from tests.support.samples import of_expression

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]
FORMS = [
    (surface.surface, "/alice/{name}.s3/"),
    (surface.of_owner, "/api/v1/repo-buckets/s3/alice/{name}"),
    (surface.of_host, "/alice.{name}"),
]


def operations() -> Iterator[tuple[str, str, Access]]:
    """(method, path with {name} open, need) of every operation at each form of address."""
    for mounted, address in FORMS:
        for route in mounted.routes:
            rest = of_expression(route.pattern)
            if rest or mounted is surface.surface:
                slash = "" if rest[:1] in {"?", ""} or address.endswith("/") else "/"
                yield next(iter(route.methods)), f"{address}{slash}{rest}", route.need


def same(answer) -> tuple[int, str]:
    """An answer without what was asked for and its id."""
    return answer.status, answer.text.partition("<Resource>")[0]


def test_a_private_repository_is_as_absent_to_a_stranger(charlie, private, token_of):
    key, count = token_of(charlie), 0
    for method, path, _ in operations():
        hidden, absent = (s3.call(method, path.format(name=name), key) for name in ("private", "missing"))
        assert same(hidden) == same(absent), (method, path)
        assert hidden.status == 404, (method, path)
        assert not hidden.body or code(hidden) == "NoSuchBucket"
        count += 1
    assert count > 50


def test_nobody_is_told_access_denied_whether_or_not_it_exists(private):
    for method, path, _ in operations():
        if path.startswith("/alice."):
            continue  # only signed requests are taken for that form
        hidden, absent = (ask(method, path.format(name=name)) for name in ("private", "missing"))
        assert same(hidden) == same(absent), (method, path)
        assert hidden.status == 403


def test_a_reader_may_not_write(bob, private, token_of):
    read_only = token_of(bob, scopes=["data:read"])
    Membership.objects.update(access=Access.READ)
    reader = token_of(bob)
    for method, path, need in operations():
        for key in (read_only, reader):
            answer = s3.call(method, path.format(name="private"), key)
            if need is Access.WRITE:
                assert (answer.status, code(answer)) == (403, "AccessDenied"), (method, path)
            else:
                assert answer.status in {200, 404}, (method, path)


def test_a_token_without_the_scope_reads_nothing(bob, private, token_of):
    key = token_of(bob, scopes=["repo:write", "experiments:write"])
    for method, path, _ in operations():
        answer = s3.call(method, path.format(name="private"), key)
        assert answer.status == 403
        assert not answer.body or "data:" in answer.text
    assert code(s3.call("GET", "/", key)) == "AccessDenied"


def test_a_token_of_another_repository_is_as_a_stranger(bob, private, public, token_of):
    key = token_of(bob, repository_id=public.pk)
    for method, path, _ in operations():
        assert s3.call(method, path.format(name="private"), key).status == 404
    assert s3.call("GET", "/alice/public.s3/public", key).status == 200


def test_anybody_reads_what_is_public_and_writes_nothing(public, alice, token_of):
    s3.call("PUT", "/alice/public.s3/public/k", token_of(alice), body=b"open")
    assert ask("GET", "/alice/public.s3/public/k").body == b"open"
    assert ask("GET", "/alice/public.s3/public?list-type=2").status == 200
    assert ask("PUT", "/alice/public.s3/public/k", body=[b"x"], headers={"content-length": "1"}).status == 403
    assert ask("DELETE", "/alice/public.s3/public/k").status == 403


def test_other_credentials_are_no_signature(bob, private, token_of):
    for headers in (basic(token_of(bob)), {"authorization": f"Bearer {token_of(bob)}"}):
        answer = ask("GET", "/alice/private.s3/private/k", headers=headers)
        assert (answer.status, code(answer)) == (400, "InvalidRequest")
        assert "secret access key" in answer.text


def test_a_bad_key_or_secret_is_told_apart(bob, private, token_of):
    key = token_of(bob)
    path = "/alice/private.s3/private"
    assert code(s3.call("GET", path, "AKIAIOSFODNN7EXAMPLE")) == "InvalidAccessKeyId"
    assert code(s3.call("GET", path, key, "wrong")) == "SignatureDoesNotMatch"
    assert s3.call("GET", path, key).status == 200
    AccessToken.objects.update(revoked=timezone.now())
    revoked = s3.call("GET", path, key)
    assert (revoked.status, code(revoked)) == (403, "InvalidAccessKeyId")


def test_many_wrong_keys_are_slowed_down(settings, private):
    settings.WRONG_TOKENS_PER_WINDOW = 3
    answers = [s3.call("GET", "/alice/private.s3/private", f"AKIA{n}") for n in range(6)]
    assert {code(answer) for answer in answers[:3]} == {"InvalidAccessKeyId"}
    assert (answers[-1].status, code(answers[-1])) == (503, "SlowDown")


def test_a_made_pair_works_and_its_key_id_opens_nothing_else(bob, private):
    row, key_id = tokens.create(bob, name="rclone", scopes=["data:write"], pair=True)
    secret = tokens.secret_of(key_id)
    assert len(secret) == 40
    assert secret not in str(vars(row))
    assert key_id not in str(vars(row))
    path = "/alice/private.s3/private/k"
    assert s3.call("PUT", path, key_id, secret, body=b"x").status == 200
    assert s3.call("GET", path, key_id, secret).body == b"x"
    assert code(s3.call("GET", path, key_id, key_id)) == "SignatureDoesNotMatch"
    assert code(s3.call("GET", path, secret, secret)) == "InvalidAccessKeyId"
    for candidate in (key_id, secret):
        answer = ask("GET", "/alice/private.dvc/files/md5/ab/" + "c" * 30, headers=basic(candidate))
        assert answer.status == 401
    AccessToken.objects.update(expires=timezone.now())
    assert code(s3.call("GET", path, key_id, secret)) == "InvalidAccessKeyId"


def test_buckets_are_listed_for_those_who_may_read_them(alice, bob, charlie, private, public, token_of):
    def names(path: str, key: str) -> list[str]:
        text = s3.call("GET", path, key).text
        return [part.partition("</Name>")[0] for part in text.split("<Name>")[1:]]

    assert names("/alice/private.s3/", token_of(bob)) == ["dvc", "private"]
    assert names("/api/v1/repo-buckets/s3/alice", token_of(bob)) == ["private", "public"]
    assert names("/api/v1/repo-buckets/s3/alice", token_of(charlie)) == ["public"]
    assert names("/api/v1/repo-buckets/s3/nobody", token_of(charlie)) == []
    assert names("/", token_of(bob)) == ["alice.private", "alice.private.dvc"]
    both = ["alice.private", "alice.private.dvc", "alice.public", "alice.public.dvc"]
    assert names("/", token_of(alice)) == both
    assert names("/", token_of(alice, repository_id=public.pk)) == both[2:]
    assert names("/?continuation-token=alice.private.dvc", token_of(alice)) == both[2:]
    assert names("/", token_of(charlie)) == []
    assert ask("GET", "/api/v1/repo-buckets/s3/alice").status == 403
