"""Lists: the order of bytes, folding by a delimiter, pages; against a model in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.models import Blob, StoredObject
from datasets.s3 import listing
from datasets.s3.addresses import OWN
from datasets.s3.listing import Item

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = ["a", "a/1", "a/2", "a/b/3", "b", "b/", "b/x", "é", "z~", "ﬀ", "😀", "😀/1"]
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def model(keys: list[str], prefix: str, delimiter: str, after: str, limit: int) -> tuple[list[str], list[str], str]:
    """(objects, prefixes, last told or "") as S3 defines them; quadratic, obvious."""
    told: list[tuple[str, bool]] = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        folded = bool(delimiter) and delimiter in rest
        name = prefix + rest[: rest.index(delimiter) + len(delimiter)] if folded else key
        if name.encode() > after.encode() and not (folded and after.startswith(name)) and (name, folded) not in told:
            told.append((name, folded))
    page = told[:limit]
    last = page[-1][0] if page and len(told) > limit else ""
    return [n for n, f in page if not f], [n for n, f in page if f], last


@settings(max_examples=300, deadline=None)
@given(
    keys=st.sets(st.text(st.sampled_from("ab/é😀\ue000"), min_size=1, max_size=6), max_size=40),
    prefix=st.text(st.sampled_from("ab/é"), max_size=3),
    delimiter=st.sampled_from(["", "/", "b", "a/", "é"]),
    limit=st.integers(1, 7),
    step=st.integers(1, 5),
)
def test_pages_are_what_s3_defines(keys: set[str], prefix: str, delimiter: str, limit: int, step: int) -> None:
    ordered = sorted(keys, key=str.encode)

    def read(start: str, over: bool, count: int) -> list[Item]:
        low = start.encode()
        found = [k for k in ordered if k.startswith(prefix) and (k.encode() > low if over else k.encode() >= low)]
        return [Item(key, "", 0, WHEN) for key in found[:count]]

    before, listing._STEP = listing._STEP, step
    after, seen = "", []
    try:
        for _ in range(len(keys) + 2):
            page = listing.fold(read, prefix, delimiter, after, limit)
            objects, prefixes, last = model(ordered, prefix, delimiter, after, limit)
            assert ([item.key for item in page.objects], page.prefixes, page.last) == (objects, prefixes, last)
            seen += objects + prefixes
            if not page.last:
                break
            after = page.last
    finally:
        listing._STEP = before
    assert sorted(seen) == sorted(set(seen))
    everything = model(ordered, prefix, delimiter, "", 10**6)
    assert sorted(seen) == sorted(everything[0] + everything[1])


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5), st.text(max_size=5))
def test_the_successor_ends_what_begins_with_a_prefix(prefix: str, more: str) -> None:
    end = listing.successor(prefix)
    longer = (prefix + more).encode("utf-8", "surrogatepass")
    assert end is None or longer < end.encode()
    assert end is None or not end.startswith(prefix)


@pytest.fixture
def filled(private, bobs):
    blob = Blob.objects.create(sha256="0" * 64, md5="1" * 32, size=3, key="x")
    StoredObject.objects.bulk_create(
        StoredObject(repository=private, bucket=OWN, key=key, blob=blob, etag="e") for key in KEYS
    )
    return bobs


def told(answer) -> tuple[list[str], list[str], dict[str, str]]:
    root = fromstring(answer.body)
    keys = [node.findtext(f"{NAMESPACE}Key") for node in root.iter(f"{NAMESPACE}Contents")]
    prefixes = [node.findtext(f"{NAMESPACE}Prefix") for node in root.iter(f"{NAMESPACE}CommonPrefixes")]
    return keys, prefixes, {child.tag.removeprefix(NAMESPACE): child.text or "" for child in root}


@pytest.mark.django_db(transaction=True)
class TestOverTheRows:
    def test_the_database_orders_by_bytes(self, filled):
        keys, _, fields = told(filled("GET", "private?list-type=2"))
        assert keys == sorted(KEYS, key=str.encode)
        assert (fields["KeyCount"], fields["IsTruncated"], fields["Name"]) == ("12", "false", "private")

    def test_pages_of_both_versions(self, filled):
        for query, marker, following in [
            ("list-type=2", "continuation-token", "NextContinuationToken"),
            ("delimiter=%2F", "marker", "NextMarker"),
            ("list-type=2&delimiter=%2F&encoding-type=url", "continuation-token", "NextContinuationToken"),
        ]:
            found, token = [], ""
            for _ in range(20):
                ask = f"private?{query}&max-keys=2" + (f"&{marker}={quote(token, safe='')}" if token else "")
                keys, prefixes, fields = told(filled("GET", ask))
                found += keys + prefixes
                assert len(keys) + len(prefixes) <= 2
                if fields["IsTruncated"] == "false":
                    break
                token = fields[following]
            folded = {k if "/" not in k else k[: k.index("/") + 1] for k in KEYS} if "delimiter" in query else set(KEYS)
            expected = {quote(k, safe="/~") for k in folded} if "encoding" in query else folded
            assert sorted(found) == sorted(expected)

    def test_prefix_and_start(self, filled):
        assert told(filled("GET", "private?list-type=2&prefix=a%2F"))[0] == ["a/1", "a/2", "a/b/3"]
        assert told(filled("GET", "private?list-type=2&prefix=a%2F&delimiter=%2F"))[:2] == (["a/1", "a/2"], ["a/b/"])
        assert told(filled("GET", "private?list-type=2&start-after=b%2Fx"))[0] == ["z~", "é", "ﬀ", "😀", "😀/1"]
        assert told(filled("GET", "private?list-type=2&max-keys=0"))[2]["IsTruncated"] == "false"
        assert told(filled("GET", "private?prefix=nothing"))[0] == []

    def test_an_empty_token_begins_at_the_start_and_is_told_again(self, filled):
        keys, _, fields = told(filled("GET", "private?list-type=2&continuation-token="))
        assert len(keys) == len(KEYS)
        assert fields["ContinuationToken"] == ""

    def test_the_first_version_does_not_encode_its_prefix(self, filled):
        """botocore decodes what it asked to be encoded, but not that."""
        for query, prefix in [("", "\n+"), ("list-type=2&", "%0A%2B")]:
            fields = told(filled("GET", f"private?{query}encoding-type=url&prefix=%0A%2B"))[2]
            assert fields["Prefix"] == prefix

    def test_versions_are_the_objects(self, filled):
        text = filled("GET", "private?versions&prefix=a").text
        assert text.count("<Version>") == 4
        assert "<VersionId>null</VersionId>" in text

    @pytest.mark.parametrize("query", ["max-keys=x", "max-keys=-1", "list-type=3", "encoding-type=gzip", "prefix=%FF"])
    def test_bad_parameters(self, filled, query):
        answer = filled("GET", f"private?{query}")
        assert answer.status == 400
        assert "<Code>InvalidArgument</Code>" in answer.text

    def test_a_page_costs_few_queries_however_full_a_folder_is(self, filled, private, django_assert_max_num_queries):
        blob = Blob.objects.get()
        rows = (StoredObject(repository=private, bucket=OWN, key=f"m/{n}", blob=blob, etag="e") for n in range(2000))
        StoredObject.objects.bulk_create(rows)
        with django_assert_max_num_queries(5):
            page = listing.page(private.pk, OWN, prefix="", delimiter="/", after="", limit=1000)
        assert page.prefixes == ["a/", "b/", "m/", "😀/"]


def test_a_prefix_of_another_repository_is_its_own(transactional_db, filled, public, alice, token_of):
    from tests.support import s3

    keys, _, _ = told(s3.call("GET", "/alice/public.s3/public?list-type=2", token_of(alice)))
    assert keys == []
