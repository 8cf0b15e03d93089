"""Signature Version 4 against AWS's own published examples, and against botocore; what was tampered with is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.s3 import old_signatures, signatures
from datasets.s3.errors import S3Error
from datasets.s3.signatures import Message
from tests.support import s3

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
NOW = datetime(2013, 5, 24, tzinfo=UTC)
START, MALFORMED = "AWS4-HMAC-SHA256 Credential=", "AuthorizationHeaderMalformed"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
BASE = {"host": "examplebucket.s3.amazonaws.com", "x-amz-content-sha256": EMPTY, "x-amz-date": "20130524T000000Z"}


def message(method: str, path: str, headers: dict[str, str], signature: str, query: str = "") -> Message:
    names = ";".join(sorted(headers))
    value = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL},SignedHeaders={names},Signature={signature}"
    pairs = signatures.query_pairs(query.encode())
    return Message(method, path, pairs, [*headers.items(), ("authorization", value)])


# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
EXAMPLES = [
    message(
        "GET",
        "/test.txt",
        BASE | {"range": "bytes=0-9"},
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    message(
        "PUT",
        "/test$file.text",
        BASE
        | {
            "date": "Fri, 24 May 2013 00:00:00 GMT",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        },
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    message("GET", "/", BASE, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", "lifecycle"),
    message(
        "GET", "/", BASE, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", "max-keys=2&prefix=J"
    ),
]
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
PRESIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def check(asked: Message, *, secret: str = SECRET, now: datetime = NOW) -> None:
    claim = signatures.claim_of(asked, now=now)
    assert claim
    signatures.verify(asked, claim, secret)


def code_of(asked: Message, *, secret: str = SECRET, now: datetime = NOW) -> str:
    with pytest.raises(S3Error) as caught:
        check(asked, secret=secret, now=now)
    return caught.value.s3_code


def presigned_message(query: str = PRESIGNED, method: str = "GET", path: str = "/test.txt") -> Message:
    return Message(method, path, signatures.query_pairs(query.encode()), [("host", BASE["host"])])


@pytest.mark.parametrize("example", EXAMPLES, ids=["get", "put", "lifecycle", "list"])
def test_it_verifies_the_examples_of_aws(example: Message) -> None:
    check(example)
    assert code_of(example, secret=SECRET + "x") == "SignatureDoesNotMatch"


def test_it_verifies_the_presigned_example_of_aws() -> None:
    check(presigned_message())
    check(presigned_message(), now=NOW + timedelta(hours=23))
    assert code_of(presigned_message(), now=NOW + timedelta(hours=25)) == "AccessDenied"
    assert code_of(presigned_message(), now=NOW - timedelta(hours=1)) == "AccessDenied"
    assert code_of(presigned_message(method="PUT")) == "SignatureDoesNotMatch"
    assert code_of(presigned_message(path="/test2.txt")) == "SignatureDoesNotMatch"
    assert code_of(presigned_message(PRESIGNED + "&versionId=1")) == "SignatureDoesNotMatch"
    longer = PRESIGNED.replace("Expires=86400", "Expires=604801")
    assert code_of(presigned_message(longer)) == "AuthorizationQueryParametersError"
    twice = PRESIGNED + "&X-Amz-Expires=600000"
    assert code_of(presigned_message(twice)) == "AuthorizationQueryParametersError"


def test_it_verifies_the_presigned_example_of_version_2() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html"""
    query = b"AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"
    pairs, below = signatures.query_pairs(query), "/johnsmith/photos/puppy.jpg"
    asked = Message("GET", "/photos/puppy.jpg", pairs, [("host", "johnsmith.s3.amazonaws.com")], below)
    claim = old_signatures.claim_of(asked, now=datetime(2007, 3, 29, tzinfo=UTC))
    assert claim
    old_signatures.verify(asked, claim, SECRET)
    with pytest.raises(S3Error):
        old_signatures.verify(asked, claim, SECRET + "x")


def test_each_change_of_a_signed_request_is_refused() -> None:
    get = EXAMPLES[0]
    assert code_of(replace(get, method="DELETE")) == "SignatureDoesNotMatch"
    assert code_of(replace(get, path="/test.tx")) == "SignatureDoesNotMatch"
    assert code_of(replace(get, query=[("acl", "")])) == "SignatureDoesNotMatch"
    for name, _ in get.headers[:-1]:
        if name != "x-amz-date":
            headers = [(n, v + "0" if n == name else v) for n, v in get.headers]
            assert code_of(replace(get, headers=headers)) == "SignatureDoesNotMatch"
    repeated = [*get.headers, ("range", "bytes=0-99")]
    assert code_of(replace(get, headers=repeated)) == "SignatureDoesNotMatch"
    without = [(n, v) for n, v in get.headers if n != "range"]
    assert code_of(replace(get, headers=without)) == "AccessDenied"


def test_an_amz_header_that_is_not_signed_is_refused() -> None:
    """MinIO honoured such headers (CVE-2026-97731): anybody in between could have added one."""
    for name in ("x-amz-copy-source", "x-amz-meta-a", "x-amz-acl", "x-amz-decoded-content-length"):
        asked = replace(EXAMPLES[0], headers=[*EXAMPLES[0].headers, (name, "x")])
        assert code_of(asked) == "AccessDenied"
        presigned = presigned_message()
        assert code_of(replace(presigned, headers=[*presigned.headers, (name, "x")])) == "AccessDenied"


def test_host_must_be_signed() -> None:
    asked = EXAMPLES[0]
    headers = [(n, v.replace("host;", "")) for n, v in asked.headers]
    assert code_of(replace(asked, headers=headers)) == "AccessDenied"


def test_the_clock_may_differ_by_a_quarter_of_an_hour() -> None:
    for minutes in (-14, 14):
        check(EXAMPLES[0], now=NOW + timedelta(minutes=minutes))
    for minutes in (-16, 16):
        assert code_of(EXAMPLES[0], now=NOW + timedelta(minutes=minutes)) == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", "InvalidRequest"),
        ("Basic YTpi", "InvalidRequest"),
        ("Bearer covey_x", "InvalidRequest"),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", "InvalidRequest"),
        ("AWS4-HMAC-SHA256 Credential=a", "AuthorizationHeaderMalformed"),
        (f"{START}{CREDENTIAL.replace('/s3/', '/iam/')},SignedHeaders=host,Signature=0", MALFORMED),
        (f"{START}{CREDENTIAL.replace('20130524', '20130525')},SignedHeaders=host,Signature=0", MALFORMED),
        (f"{START}{CREDENTIAL},SignedHeaders=x;host,Signature=0", MALFORMED),
        (f"{START}{CREDENTIAL},SignedHeaders=Host,Signature=0", MALFORMED),
    ],
)  # fmt: skip
def test_other_authorizations_are_told_apart(authorization: str, code: str) -> None:
    asked = Message("GET", "/", [], [*BASE.items(), ("authorization", authorization)])
    assert code_of(asked) == code


def test_what_is_not_signed_claims_nothing() -> None:
    assert signatures.claim_of(Message("GET", "/", [], [("host", "x")]), now=NOW) is None


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Signature", "SignedHeaders"])
@pytest.mark.parametrize("odd", ["%FF", "%ED%A0%80", "%00"])
def test_a_presigned_address_of_odd_bytes_is_a_bad_request(name: str, odd: str) -> None:
    tampered = PRESIGNED.replace(f"X-Amz-{name}=", f"X-Amz-{name}={odd}")
    assert code_of(presigned_message(tampered)) == "AuthorizationQueryParametersError"


@settings(max_examples=60, deadline=None)
@given(
    key=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20),
    value=st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
)
def test_it_agrees_with_botocore_on_any_key(key: str, value: str, secret: str) -> None:
    from urllib.parse import quote

    path, query = "/o/n.s3/b/" + quote(key, safe="/-_.~"), "prefix=" + quote(value, safe="-_.~")
    headers = s3.signed_headers("GET", f"{path}?{query}", "key", secret)
    asked = Message("GET", path, signatures.query_pairs(query.encode()), list(headers.items()))
    check(asked, secret=secret, now=datetime.now(UTC))
    # A proxy or client that leaves other characters alone still means the same path.
    check(replace(asked, path=path.replace("%2B", "+").replace("%21", "!")), secret=secret, now=datetime.now(UTC))


@settings(max_examples=300, deadline=None)
@given(
    authorization=st.text(max_size=60)
    | st.builds("AWS4-HMAC-SHA256 Credential={},SignedHeaders={},Signature={}".format, st.text(), st.text(), st.text()),
    query=st.binary(max_size=60)
    | st.builds(lambda b: b"X-Amz-Algorithm=AWS4-HMAC-SHA256&" + b, st.binary(max_size=60)),
    stamp=st.text(max_size=20),
)
def test_any_text_is_a_claim_or_an_error_of_s3(authorization: str, query: bytes, stamp: str) -> None:
    headers = [("host", "x"), ("x-amz-date", stamp), ("x-amz-content-sha256", EMPTY), ("authorization", authorization)]
    asked = Message("GET", "/", signatures.query_pairs(query), headers)
    try:
        claim = signatures.claim_of(asked, now=NOW)
    except S3Error:
        return
    if claim:
        with pytest.raises(S3Error):
            signatures.verify(asked, claim, "secret")
