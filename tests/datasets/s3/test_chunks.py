"""aws-chunked: AWS's published examples, what boto3 sends, tampering, and any bytes at all."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.s3 import checksums, signatures
from datasets.s3.checksums import Expectations
from datasets.s3.chunks import Chunks, Signer
from datasets.s3.errors import S3Error
from tests.datasets.s3.test_signatures import NOW, SECRET

DATA = b"a" * 66_560
SIGNED = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
]
TRAILED = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
]
TRAILER = b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
TRAILER_SIGNATURE = b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"


def signer(seed: str) -> Signer:
    claim = signatures.Claim("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", NOW, ("host",), seed, "")
    return Signer(signatures.signing_key(SECRET, claim), claim.amz_date, claim.scope, seed)


def body(marks: list[str], end: bytes) -> bytes:
    first, second, last = (f";chunk-signature={mark}\r\n".encode() for mark in marks)
    return b"10000" + first + DATA[:65_536] + b"\r\n400" + second + DATA[65_536:] + b"\r\n0" + last + end + b"\r\n"


# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html
PLAIN_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
PLAIN, WITH_TRAILER = body(SIGNED, b""), body(TRAILED, TRAILER + TRAILER_SIGNATURE)


def decoded(chunks: Chunks, data: bytes, step: int = 1000) -> bytes:
    found = b"".join(out for i in range(0, len(data), step) for out in chunks.feed(data[i : i + step]))
    chunks.finish()
    return found


@pytest.mark.parametrize("step", [1, 7, 1000, 100_000])
def test_it_decodes_the_example_of_aws(step: int) -> None:
    assert decoded(Chunks(signer(PLAIN_SEED), trailing=False), PLAIN, step) == DATA


def test_it_decodes_the_example_with_trailers() -> None:
    chunks = Chunks(signer(TRAILER_SEED), trailing=True)
    assert decoded(chunks, WITH_TRAILER) == DATA
    assert chunks.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}
    expected = Expectations()
    expected.await_trailer("x-amz-checksum-crc32c")
    expected.update(DATA)
    expected.check(chunks.trailers)


def test_each_changed_byte_is_noticed() -> None:
    """Every 97th byte of the data, and every byte of the rest."""
    places = [
        *range(0, 90),
        *range(90, len(WITH_TRAILER) - 700, 97 * 64),
        *range(len(WITH_TRAILER) - 700, len(WITH_TRAILER)),
    ]
    for place in places:
        bad = bytearray(WITH_TRAILER)
        bad[place] ^= 1
        chunks = Chunks(signer(TRAILER_SEED), trailing=True)
        try:
            data = decoded(chunks, bytes(bad))
        except S3Error:
            continue
        assert data == DATA, f"byte {place} was changed without notice"
        assert chunks.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (PLAIN[:-2], "IncompleteBody"),
        (PLAIN[:66_000], "IncompleteBody"),
        (PLAIN[:200], "IncompleteBody"),
        (b"", "IncompleteBody"),
        (PLAIN + b"x", "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        (b"0" * 5000, "InvalidRequest"),
        (body(SIGNED[1:] + SIGNED[:1], b""), "SignatureDoesNotMatch"),
        (body(SIGNED, TRAILER), "InvalidRequest"),
    ],
)
def test_it_refuses(data: bytes, code: str) -> None:
    with pytest.raises(S3Error) as caught:
        decoded(Chunks(signer(PLAIN_SEED), trailing=False), data)
    assert caught.value.s3_code == code


def test_a_trailer_without_its_signature_is_refused() -> None:
    """MinIO took unsigned trailers for signed ones (CVE-2025-31489)."""
    with pytest.raises(S3Error):
        decoded(Chunks(signer(TRAILER_SEED), trailing=True), body(TRAILED, TRAILER))


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(st.binary(min_size=1, max_size=300), max_size=6), step=st.integers(1, 500))
def test_unsigned_chunks_come_out_as_they_went_in(parts: list[bytes], step: int) -> None:
    data = b"".join(parts)
    crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    sent += b"0\r\nx-amz-checksum-crc32: " + crc.encode() + b"\r\n\r\n"
    chunks = Chunks(None, trailing=True)
    assert decoded(chunks, sent, step) == data
    assert chunks.trailers == {"x-amz-checksum-crc32": crc}


@settings(max_examples=400, deadline=None)
@given(
    data=st.binary(max_size=200)
    | st.lists(st.sampled_from([b"0", b"5", b"\r\n", b";chunk-signature=", b"hello", b":", b"a", b"0" * 64])).map(
        b"".join
    ),
    signed=st.booleans(),
    trailing=st.booleans(),
    step=st.integers(1, 50),
)
def test_any_bytes_are_data_or_an_error_of_s3(data: bytes, signed: bool, trailing: bool, step: int) -> None:
    chunks = Chunks(signer(PLAIN_SEED) if signed else None, trailing=trailing)
    try:
        found = decoded(chunks, data, step)
    except S3Error:
        return
    assert len(found) <= len(data)


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [  # of "123456789": the check values of each polynomial's definition
        ("crc32", "cbf43926"),
        ("crc32c", "e3069283"),
        ("crc64nvme", "ae8b14860a799888"),
        ("sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        ("sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
    ],
)
def test_checksums(algorithm: str, value: str) -> None:
    digest = checksums.make(algorithm)
    for piece in (b"1234", b"", b"56789"):
        digest.update(piece)
    assert digest.digest().hex() == value


def test_a_wrong_checksum_is_bad() -> None:
    for expected in (
        Expectations(md5=b"0" * 16),
        Expectations(checksums={"crc32": "AAAAAQ=="}),
    ):
        with pytest.raises(S3Error, match="did not match"):
            expected.check()
    with pytest.raises(S3Error, match="sha256"):
        Expectations(sha256="0" * 64).check()
    with pytest.raises(S3Error, match="not offer"):
        Expectations(checksums={"md17": "x"})
    waiting = Expectations()
    waiting.await_trailer("x-amz-checksum-crc32")
    with pytest.raises(S3Error, match="did not come"):
        waiting.check({})
