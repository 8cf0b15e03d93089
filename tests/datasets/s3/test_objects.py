"""Objects of the S3 endpoint: put, get, copy, delete, in both buckets and by each form of address."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import zlib

import pytest

from datasets.models import Blob, StoredObject
from repos.models import Repository
from tests.support import s3
from tests.support.asgi import ask, basic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def dvc_key(data: bytes, *, legacy: bool = False) -> str:
    name = md5(data)
    return f"{'' if legacy else 'files/md5/'}{name[:2]}/{name[2:]}"


def code(answer) -> str:
    assert answer.headers["content-type"] == "application/xml"
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize(
    "path", ["private/a/b.txt", "private/%C3%BC%20%2B%25%23%26", "private/a//./../c", "private/x%0Ay"]
)
def test_it_keeps_and_gives_back(bobs, path):
    data = os.urandom(1_300_000)
    put = bobs("PUT", path, body=data, headers={"content-type": "text/csv", "x-amz-meta-owner": "b\xf6b"})
    assert (put.status, put.headers["etag"]) == (200, f'"{md5(data)}"')
    got = bobs("GET", path)
    assert (got.status, got.body) == (200, data)
    assert (got.headers["content-type"], got.headers["x-amz-meta-owner"]) == ("text/csv", "b\xf6b")
    assert "content-disposition" not in got.headers
    assert "sandbox" in got.headers["content-security-policy"]
    head = bobs("HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "1300000")
    assert bobs("GET", path, headers={"range": "bytes=1-3"}).body == data[1:4]
    assert code(bobs("GET", path, headers={"range": "bytes=1300000-"})) == "InvalidRange"
    assert bobs("DELETE", path).status == 204
    assert code(bobs("GET", path)) == "NoSuchKey"
    assert bobs("HEAD", path).status == 404
    assert bobs("DELETE", path).status == 204


def test_the_last_one_counts(bobs, folder):
    for data in (b"one", b"two", b""):
        assert bobs("PUT", "private/k", body=data).status == 200
        assert bobs("GET", "private/k").body == data
    assert (StoredObject.objects.count(), Blob.objects.count()) == (1, 1)
    assert len(list(folder.list())) == 1  # what nothing names any more is gone


def test_a_deletion_frees_bytes_that_nothing_else_names(bobs, folder):
    for path in ("private/a", "private/b"):
        bobs("PUT", path, body=b"same")
    bobs("DELETE", "private/a")
    assert bobs("GET", "private/b").body == b"same"
    bobs("DELETE", "private/b")
    assert (list(folder.list()), Blob.objects.count()) == ([], 0)


def test_the_dvc_bucket_is_the_dvc_remote(bobs, alice, token_of):
    over_s3, over_http = b"by s3", b"by http"
    assert bobs("PUT", f"dvc/{dvc_key(over_s3)}", body=over_s3).status == 200
    auth = basic(token_of(alice))
    assert ask("GET", f"/alice/private.dvc/{dvc_key(over_s3)}", headers=auth).body == over_s3
    assert ask("POST", f"/alice/private.dvc/{dvc_key(over_http)}", headers=auth, body=[over_http]).status == 201
    assert bobs("GET", f"dvc/{dvc_key(over_http)}").body == over_http
    assert bobs("DELETE", f"dvc/{dvc_key(over_http)}").status == 204
    assert ask("GET", f"/alice/private.dvc/{dvc_key(over_http)}", headers=auth).status == 404


def test_the_dvc_bucket_checks_names_against_bytes(bobs, folder):
    answer = bobs("PUT", f"dvc/{dvc_key(b'good')}", body=b"evil")
    assert (answer.status, code(answer)) == (400, "BadDigest")
    assert md5(b"evil") in answer.text
    assert "dvc push" in answer.text
    assert not list(folder.list())
    assert not StoredObject.objects.exists()
    assert bobs("PUT", f"dvc/{dvc_key(b'good')}.dir", body=b"good").status == 200
    unix = dvc_key(b"a\nb\n", legacy=True)  # DVC 2 named text by its form with LF
    assert bobs("PUT", f"dvc/{unix}", body=b"a\r\nb\r\n").status == 200
    run = f"dvc/runs/ab/{'a' * 64}/{'b' * 64}"
    assert bobs("PUT", run, body=b"deps: []").status == 200
    for other in ("readme.txt", "files/md5/ab/cd", "files/sha256/" + "0" * 64, "runs/x", f"FILES/md5/ab/{'c' * 30}"):
        answer = bobs("PUT", f"dvc/{other}", body=b"x")
        assert (answer.status, code(answer)) == (400, "InvalidArgument")
        assert code(bobs("POST", f"dvc/{other}?uploads")) == "InvalidArgument"


def test_everything_announced_must_hold(bobs, folder):
    data, crc = b"hello", base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    right = base64.b64encode(hashlib.md5(data).digest()).decode()
    both = {"content-md5": right, "x-amz-checksum-crc32": crc}
    assert bobs("PUT", "private/k", body=data, headers=both).status == 200
    got = bobs("GET", "private/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert got.headers["x-amz-checksum-crc32"] == crc
    assert "x-amz-checksum-crc32" not in bobs("GET", "private/k").headers
    for headers, expected in [
        ({"content-md5": base64.b64encode(b"0" * 16).decode()}, "BadDigest"),
        ({"content-md5": "nonsense"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-md17": "AAAAAA=="}, "NotImplemented"),
    ]:
        assert code(bobs("PUT", "private/other", body=data, headers=headers)) == expected
    assert code(bobs("PUT", "private/other", body=data, payload="0" * 64)) == "XAmzContentSHA256Mismatch"
    assert code(bobs("PUT", "private/other", body=data, payload="nonsense")) == "InvalidArgument"
    short = bobs("PUT", "private/other", body=data, pieces=[b"hell"], payload="UNSIGNED-PAYLOAD")
    assert code(short) == "IncompleteBody"
    assert len(list(folder.list())) == 1
    assert not os.listdir(folder.temporary)


def test_a_body_without_a_length_is_refused(bobs):
    assert code(bobs("PUT", "private/k", body=b"x", headers={"content-length": ""})) == "MissingContentLength"
    chunked = {"content-length": "", "transfer-encoding": "chunked"}  # what RGW takes too
    assert bobs("PUT", "private/k", body=b"x", headers=chunked).status == 200
    assert bobs("GET", "private/k").body == b"x"


def test_a_body_of_unsigned_chunks_with_a_trailer(bobs):
    """What boto3 sends over https."""
    data = os.urandom(3_000_000)
    crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))
    headers = {
        "content-encoding": "gzip,aws-chunked",
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    form = {"headers": headers, "payload": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    sent = b"%x\r\n%s\r\n" % (len(data), data)
    end = b"0\r\nx-amz-checksum-crc32:%s\r\n\r\n"
    assert bobs("PUT", "private/k", pieces=[sent[:100], sent[100:], end % crc], **form).status == 200
    got = bobs("GET", "private/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert (got.body, got.headers["content-encoding"]) == (data, "gzip")
    assert got.headers["x-amz-checksum-crc32"] == crc.decode()
    assert code(bobs("PUT", "private/l", pieces=[sent, end % b"AAAAAA=="], **form)) == "BadDigest"
    assert code(bobs("PUT", "private/l", pieces=[sent, b"0\r\n\r\n"], **form)) == "InvalidRequest"
    assert code(bobs("PUT", "private/l", pieces=[sent], **form)) == "IncompleteBody"
    headers["x-amz-decoded-content-length"] = "5"
    assert code(bobs("PUT", "private/l", pieces=[sent, end % crc], **form)) == "IncompleteBody"
    assert bobs("HEAD", "private/l").status == 404


def test_a_cut_upload_leaves_nothing(bobs, folder):
    data = os.urandom(3_000_000)
    assert bobs("PUT", "private/k", body=data, pieces=[data[:2_000_000]], cut=True).status == 0
    assert not list(folder.list())
    assert not os.listdir(folder.temporary)


def test_reads_are_conditional(bobs):
    etag = bobs("PUT", "private/k", body=b"x").headers["etag"]
    date = bobs("HEAD", "private/k").headers["last-modified"]
    for headers, status in [
        ({"if-match": etag}, 200),
        ({"if-match": etag.strip('"')}, 200),
        ({"if-match": '"other"'}, 412),
        ({"if-none-match": etag}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-modified-since": date}, 304),
        ({"if-modified-since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
        ({"if-unmodified-since": date}, 200),
        ({"if-unmodified-since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 412),
        ({"if-unmodified-since": "no date"}, 200),
    ]:
        for method in ("GET", "HEAD"):
            assert bobs(method, "private/k", headers=headers).status == status, headers


def test_writes_are_conditional(bobs):
    fresh = {"if-none-match": "*"}
    etag = bobs("PUT", "private/k", body=b"1", headers=fresh).headers["etag"]
    assert code(bobs("PUT", "private/k", body=b"2", headers=fresh)) == "PreconditionFailed"
    assert bobs("PUT", "private/k", body=b"2", headers={"if-match": etag}).status == 200
    assert code(bobs("PUT", "private/k", body=b"3", headers={"if-match": etag})) == "PreconditionFailed"
    assert code(bobs("PUT", "private/new", body=b"3", headers={"if-match": etag})) == "NoSuchKey"
    assert code(bobs("PUT", "private/k", body=b"3", headers={"if-none-match": etag})) == "NotImplemented"
    assert bobs("GET", "private/k").body == b"2"


def test_a_copy_names_the_same_bytes(bobs, folder):
    bobs("PUT", "private/a%20b", body=b"x", headers={"x-amz-meta-a": "1", "content-type": "text/plain"})
    copy = bobs("PUT", "private/c", headers={"x-amz-copy-source": "/private/a%20b"})
    assert "<CopyObjectResult" in copy.text
    got = bobs("GET", "private/c")
    assert (got.body, got.headers["x-amz-meta-a"], got.headers["content-type"]) == (b"x", "1", "text/plain")
    replaced = {"x-amz-copy-source": "private/c", "x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2"}
    assert bobs("PUT", "private/c", headers=replaced).status == 200
    got = bobs("HEAD", "private/c")
    assert "x-amz-meta-a" not in got.headers
    assert got.headers["x-amz-meta-b"] == "2"
    assert Blob.objects.count() == 1
    assert bobs("PUT", f"dvc/{dvc_key(b'x')}", headers={"x-amz-copy-source": "/private/c"}).status == 200
    assert code(bobs("PUT", f"dvc/{dvc_key(b'y')}", headers={"x-amz-copy-source": "/private/c"})) == "BadDigest"
    for source, expected in [
        ("/private/absent", "NoSuchKey"),
        ("/other/x", "NoSuchBucket"),
        ("private", "InvalidArgument"),
        ("/private/c?versionId=7", "NoSuchVersion"),
    ]:
        assert code(bobs("PUT", "private/d", headers={"x-amz-copy-source": source})) == expected
    assert code(bobs("PUT", "private/c", headers={"x-amz-copy-source": "/private/c"})) == "InvalidRequest"
    unlike = {"x-amz-copy-source": "/private/c", "x-amz-copy-source-if-match": "other"}
    assert code(bobs("PUT", "private/d", headers=unlike)) == "PreconditionFailed"


def test_a_copy_from_another_repository_passes_the_gate_twice(alice, bob, charlie, private, public, token_of, folder):
    """By the form where another repository can be named: read there, write here."""
    Repository.objects.create(owner=charlie.owner, name="own", private=True)
    alices, charlies, bobs = token_of(alice), token_of(charlie), token_of(bob)
    for bucket in ("private", "public"):
        assert s3.call("PUT", f"/alice.{bucket}/k", alices, body=b"secret").status == 200
    source = {"x-amz-copy-source": "/alice.private/k"}
    hidden = s3.call("PUT", "/charlie.own/k", charlies, headers=source)
    absent = s3.call("PUT", "/charlie.own/k", charlies, headers={"x-amz-copy-source": "/alice.missing/k"})
    assert code(hidden) == code(absent) == "NoSuchBucket"
    assert s3.call("PUT", "/charlie.own/k", charlies, headers={"x-amz-copy-source": "/alice.public/k"}).status == 200
    assert s3.call("PUT", "/alice.private/copy", bobs, headers={"x-amz-copy-source": "/alice.public/k"}).status == 200
    assert code(s3.call("PUT", "/alice.public/copy", bobs, headers=source)) == "AccessDenied"


def test_many_are_deleted_at_once(bobs):
    for name in ("a", "b", "c&<>"):
        bobs("PUT", f"private/{name.replace('&<>', '%26%3C%3E')}", body=b"x")
    asked = b"<Delete><Object><Key>a</Key></Object><Object><Key>c&amp;&lt;&gt;</Key></Object></Delete>"
    answer = bobs("POST", "private?delete", body=asked)
    assert "<Deleted><Key>c&amp;&lt;&gt;</Key></Deleted>" in answer.text
    assert list(StoredObject.objects.values_list("key", flat=True)) == ["b"]
    quiet = b"<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object><Object><Key>absent</Key></Object></Delete>"
    assert "<Deleted>" not in bobs("POST", "private?delete", body=quiet).text
    assert not StoredObject.objects.exists()
    nothing = (b"", b"<Delete/>", b"<Delete><Object/></Delete>", b"nonsense", b"<Delete>" * 50_000, gzip.compress(b""))
    for bad in nothing:
        assert code(bobs("POST", "private?delete", body=bad)) == "MalformedXML"


def test_presigned_links_work_without_headers_and_show_nothing_live(bob, private, token_of, folder):
    token = token_of(bob)
    s3.call("PUT", "/alice/private.s3/private/k", token, body=b"<script>", headers={"content-type": "text/html"})
    link = s3.presigned("GET", "/alice/private.s3/private/k?response-content-type=text%2Fplain", token)
    answer = ask("GET", link)
    assert (answer.status, answer.body) == (200, b"<script>")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("text/plain", "attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert ask("PUT", link, body=[b"x"]).status == 403
    assert ask("GET", link.replace("/k?", "/l?")).status == 403
    put = s3.presigned("PUT", "/alice/private.s3/private/up", token)
    assert ask("PUT", put, body=[b"up"], headers={"content-length": "2"}).status == 200
    bad = s3.presigned("GET", "/alice/private.s3/private/k?response-content-type=a%0D%0Ax-evil%3A1", token)
    assert code(ask("GET", bad)) == "InvalidArgument"
    # What is presigned may not be turned into another request by a header (MinIO, CVE-2026-97731).
    assert ask("PUT", put, headers={"x-amz-copy-source": "/private/k", "content-length": "0"}).status == 403


def test_what_a_signer_moved_into_the_query_is_a_header_as_well(bob, private, token_of, folder):
    """The SDK for JavaScript signs x-amz-… in the address; a put by such a link lost its metadata and its wishes."""
    token, path = token_of(bob), "/alice/private.s3/private/k"
    asked = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32"  # of no bytes: as it signs today

    def put(query):
        link = s3.presigned("PUT", f"{path}?{query}", token)
        return ask("PUT", link, headers={"content-length": "1"}, body=[b"x"])

    assert put(f"{asked}&x-amz-meta-kind=raw%20data&X-Amz-Meta-Two=2").status == 200
    kept = s3.call("HEAD", path, token).headers
    assert (kept["x-amz-meta-kind"], kept["x-amz-meta-two"]) == ("raw data", "2")
    for wish in ("x-amz-acl=public-read", "x-amz-tagging=a%3Db", "x-amz-storage-class=GLACIER",
                 "x-amz-server-side-encryption=AES256", "X-Amz-Object-Lock-Mode=GOVERNANCE"):  # fmt: skip
        assert put(wish).status == 501, wish
    for odd in ("x-amz-meta-a=b%0D%0Ax-evil:1", "x-amz-meta-a%0D%0Ab=c", "x-amz-meta-a=%E6%96%87"):
        assert put(odd).status == 400, odd
    old = s3.presigned_of_old("PUT", path, token) + "&x-amz-meta-kind=evil"  # there it is not signed
    assert ask("PUT", old, headers={"content-length": "1"}, body=[b"x"]).status == 200
    assert "x-amz-meta-kind" not in s3.call("HEAD", path, token).headers


@pytest.mark.parametrize("below", ["", "/private/a%20b%2Bc"])  # s3cmd signs the path as sent, boto3 that of the bucket
def test_links_presigned_in_version_2_are_taken_for_one_object(bob, private, token_of, folder, below):
    token, path = token_of(bob), "/alice/private.s3/private/a%20b%2Bc"
    kind = {"content-type": "text/x", "x-amz-meta-a": "b"}
    put = s3.presigned_of_old("PUT", path, token, below=below, headers=kind)
    assert ask("PUT", put, body=[b"old"], headers={"content-length": "3"}).status == 403  # without what is signed
    assert ask("PUT", put, body=[b"old"], headers=kind | {"content-length": "3"}).status == 200
    link = s3.presigned_of_old("GET", f"{path}?response-content-type=text%2Fplain", token, below=below)
    answer = ask("GET", link)
    assert (answer.status, answer.body) == (200, b"old")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("text/plain", "attachment")
    for other in (link.replace("a%20b", "ab"), link.replace("plain", "html"), link.replace("Expires=1", "Expires=2")):
        assert ask("GET", other).status == 403
    assert ask("DELETE", link).status == 403
    assert ask("GET", f"{link}&tagging").status == 403
    assert ask("PUT", put, headers=kind | {"x-amz-copy-source": "/private/k", "content-length": "0"}).status == 403


def test_links_of_version_2_end_and_open_no_list(bob, private, token_of, folder):
    token, path = token_of(bob), "/alice/private.s3/private/k"
    s3.call("PUT", path, token, body=b"x")
    assert "expired" in ask("GET", s3.presigned_of_old("GET", path, token, seconds=-1)).text
    assert "7 days" in ask("GET", s3.presigned_of_old("GET", path, token, seconds=8 * 24 * 3600)).text
    odd = ask("GET", f"{path}?AWSAccessKeyId=%ED%A0%80&Signature=%FF&Expires=4000000000")
    assert "plain text" in odd.text
    assert ask("GET", f"{path}?AWSAccessKeyId=a&Signature=b&Expires=x").status == 403
    assert ask("GET", s3.presigned_of_old("GET", "/alice.private/k", token)).body == b"x"
    listed = ask("GET", s3.presigned_of_old("GET", "/alice/private.s3/private?prefix=k", token))
    assert code(listed) == "InvalidRequest"
    assert "s3v4" in listed.text
    assert code(ask("GET", "/alice.private/k", headers={"authorization": "AWS a:b"})) == "InvalidRequest"


def test_the_only_part_is_the_whole(bobs, folder):
    bobs("PUT", "private/k", body=b"whole")
    answer = bobs("GET", "private/k?partNumber=1")
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, b"whole", "bytes 0-4/5")
    assert bobs("HEAD", "private/k?partNumber=1").headers["content-length"] == "5"
    assert code(bobs("GET", "private/k?partNumber=2")) == "InvalidPartNumber"
    assert code(bobs("GET", "private/k?partNumber=1", headers={"range": "bytes=0-1"})) == "InvalidRequest"


@pytest.mark.parametrize(
    "path",
    ["/alice/private.s3/private/k", "/api/v1/repo-buckets/s3/alice/private/k", "/alice.private/k", "/Alice.PRIVATE/k"],
)
def test_each_address_names_the_same_object(bob, private, token_of, path):
    token = token_of(bob)
    s3.call("PUT", "/alice/private.s3/private/k", token, body=b"same")
    assert s3.call("GET", path, token).body == b"same"
    data = dvc_key(b"same")
    s3.call("PUT", f"/alice/private.s3/dvc/{data}", token, body=b"same")
    assert s3.call("GET", f"/alice.private.dvc/{data}", token).body == b"same"


def test_a_renamed_repository_answers_by_both_names(bobs, alice, private, token_of):
    from hub.accounts.actor import Actor
    from repos import repositories

    bobs("PUT", "private/k", body=b"x")
    repositories.rename(Actor(user=alice, session=True), private, "renamed")
    assert bobs("GET", "private/k").body == b"x"
    token = token_of(alice)
    assert s3.call("GET", "/alice/renamed.s3/renamed/k", token).body == b"x"
    assert s3.call("GET", "/api/v1/repo-buckets/s3/alice/private/k", token).body == b"x"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "private?versioning"), ("PUT", "private?lifecycle"), ("GET", "private?policy"), ("DELETE", "private"),
        ("POST", "private/k?select&select-type=2"), ("PUT", "private/k?acl"), ("PUT", "private/k?tagging"),
        ("POST", "private"), ("GET", "private/k?torrent"), ("GET", "private/k?attributes"), ("POST", "private/k"),
    ],
)  # fmt: skip
def test_what_is_not_offered_says_so(bobs, method, path):
    answer = bobs(method, path)
    assert (answer.status, code(answer)) == (501, "NotImplemented")


@pytest.mark.parametrize(
    "header",
    [
        ("x-amz-acl", "public-read"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-grant-read", "id=1"),
    ],
)
def test_a_wish_that_would_be_ignored_is_refused(bobs, header):
    for method, path in (("PUT", "private/k"), ("POST", "private/k?uploads")):
        assert code(bobs(method, path, body=b"x", headers=dict([header]))) == "NotImplemented"


def test_other_methods_and_bad_names(bobs):
    for method in ("PATCH", "OPTIONS"):
        answer = bobs(method, "private/k")
        assert (answer.status, code(answer)) == (405, "MethodNotAllowed")
    assert code(bobs("GET", "private/%ff")) == "InvalidURI"
    assert code(bobs("PUT", f"private/{'x' * 1025}", body=b"x")) == "KeyTooLongError"
    assert bobs("PUT", f"private/{'x' * 1024}", body=b"x").status == 200
    assert bobs("GET", "private/a%00b").status == 400
    long = {f"x-amz-meta-{i}": "x" * 1000 for i in range(3)}
    assert code(bobs("PUT", "private/k", body=b"x", headers=long)) == "MetadataTooLarge"


def test_the_fixed_answers(bobs):
    bobs("PUT", "private/k", body=b"x")
    assert "<TagSet></TagSet>" in bobs("GET", "private/k?tagging").text
    assert code(bobs("GET", "private?tagging")) == "NoSuchTagSet"
    assert "FULL_CONTROL" in bobs("GET", "private/k?acl").text
    assert "FULL_CONTROL" in bobs("GET", "private?acl").text
    assert code(bobs("GET", "private/absent?acl")) == "NoSuchKey"
    assert "<LocationConstraint" in bobs("GET", "private?location").text
    assert "<VersioningConfiguration" in bobs("GET", "private?versioning").text
    assert bobs("HEAD", "private").status == 200
    assert bobs("PUT", "dvc").status == 200
    assert "<Name>dvc</Name>" in bobs("GET", "").text
    answer = bobs("GET", "elsewhere")
    assert code(answer) == "NoSuchBucket"
    assert "dvc and private" in answer.text
