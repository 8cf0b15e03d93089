"""Queries compiled once give what Django's own give."""

from __future__ import annotations

import pytest
from django.db.models import F

from hub.accounts.models import AccessToken, User
from hub.lib.prepared import Prepared
from repos.models import Repository

BY_NAME = Prepared(
    lambda owner, name: Repository.objects.select_related("owner").filter(
        owner__name_key=owner, name_key=name, deleted=None
    ),
    str,
    str,
)


def test_the_row_is_the_same_with_what_is_related(private, public, django_assert_num_queries):
    for name in ("private", "public", "private"):
        with django_assert_num_queries(1):
            found = BY_NAME.first("alice", name)
            owner = found.owner.name
        expected = Repository.objects.select_related("owner").get(name=name)
        assert {f.attname: getattr(found, f.attname) for f in Repository._meta.concrete_fields} == {
            f.attname: getattr(expected, f.attname) for f in Repository._meta.concrete_fields
        }
        assert owner == "alice"
        found.save()  # a row like any other
    assert BY_NAME.first("alice", "absent") is None
    assert BY_NAME.first("' OR 1=1 --", "%s") is None


def test_json_dates_and_relations_that_are_empty(alice, token_of):
    token_of(alice, scopes=["data:read"])
    by_user = Prepared(lambda pk: AccessToken.objects.select_related("user", "repository").filter(user_id=pk), int)
    token = by_user.first(alice.pk)
    assert (token.scopes, token.user, token.repository) == (["data:read"], alice, None)
    assert token.expires == AccessToken.objects.get().expires


def test_a_value_that_does_not_reach_the_sql_is_noticed(alice):
    for make in (
        lambda name: User.objects.filter(username=F("username")),
        lambda name: User.objects.filter(username=f"{name}x"),
    ):
        with pytest.raises(AssertionError):
            Prepared(make, str).first("alice")
