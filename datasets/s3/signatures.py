"""Signature Version 4: what a request claims, and whether a secret bears it out. Plain Python.

Follows: AWS, "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. The path is taken as it was
sent and encoded once, never normalised; every x-amz-* header must be signed, since an unsigned one could be added by
anybody in between.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote_to_bytes

from datasets.s3.errors import S3Error
from hub.lib.numbers import whole

ALGORITHM = "AWS4-HMAC-SHA256"
MAXIMUM_SKEW = timedelta(minutes=15)
MAXIMUM_EXPIRY_SECONDS = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"
_SAFE = "-_.~"
_HEADER = re.compile(r"AWS4-HMAC-SHA256\s+(.*)", re.DOTALL)
_CREDENTIAL = re.compile(r"(?P<key>.+)/(?P<date>\d{8})/(?P<region>[^/]*)/(?P<service>[^/]*)/aws4_request")
_TIME = "%Y%m%dT%H%M%SZ"

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Message:
    """One request as it was sent. path: undecoded. query: decoded pairs. headers: lower-case names, in order.

    below: the path below the endpoint, which may hold a path of its own; only version 2 signs it."""

    method: str
    path: str
    query: Pairs
    headers: Pairs
    below: str = ""

    def header(self, name: str) -> str:
        """The values of this header, joined by commas as signers do."""
        return ",".join(value for key, value in self.headers if key == name)


@dataclass(frozen=True)
class Claim:
    """What a signed request says of itself. payload: x-amz-content-sha256, or UNSIGNED-PAYLOAD when presigned."""

    key_id: str
    date: str
    region: str
    time: datetime
    signed_headers: tuple[str, ...]
    signature: str
    payload: str
    expires_seconds: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/s3/aws4_request"

    @property
    def amz_date(self) -> str:
        return self.time.strftime(_TIME)


def query_pairs(query: bytes) -> list[tuple[str, str]]:
    """The decoded pairs of a query string; "+" is a plus, as signers see it."""
    pairs = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((_text(name), _text(value)))
    return pairs


def claim_of(message: Message, *, now: datetime) -> Claim | None:
    """The claim of a request, None when it is not signed at all. Raises S3Error."""
    query = dict(message.query)
    authorization = message.header("authorization")
    if authorization:
        if "X-Amz-Algorithm" in query:
            raise S3Error("InvalidArgument", "Only one auth mechanism allowed: a header or the query, not both.")
        claim = _of_header(message, authorization)
    elif "X-Amz-Algorithm" in query:
        claim = _of_query(message, query)
    else:
        return None
    _check(message, claim, now)
    return claim


def verify(message: Message, claim: Claim, secret: str) -> None:
    """Raises S3Error unless the signature was made with this secret over this very request."""
    expected = _mac(signing_key(secret, claim), string_to_sign(message, claim)).hex()
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise mismatch()


def mismatch() -> S3Error:
    return S3Error(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
        details="Check the secret access key; a proxy in between must pass Host and the path as they were sent.",
    )


def string_to_sign(message: Message, claim: Claim) -> str:
    digest = hashlib.sha256(canonical_request(message, claim).encode()).hexdigest()
    return f"{ALGORITHM}\n{claim.amz_date}\n{claim.scope}\n{digest}"


def canonical_request(message: Message, claim: Claim) -> str:
    query = [pair for pair in message.query if not (claim.expires_seconds is not None and pair[0] == "X-Amz-Signature")]
    encoded = sorted((_quote(name), _quote(value)) for name, value in query)
    headers = [f"{name}:{_squeezed(message, name)}\n" for name in claim.signed_headers]
    return "\n".join(
        [
            message.method,
            canonical_path(message.path),
            "&".join(f"{name}={value}" for name, value in encoded),
            "".join(headers),
            ";".join(claim.signed_headers),
            claim.payload,
        ]
    )


def canonical_path(path: str) -> str:
    """Decoded and encoded once: clients differ in which characters they leave alone, signers do not."""
    return quote(unquote_to_bytes(path), safe="/" + _SAFE) or "/"


def signing_key(secret: str, claim: Claim) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claim.date, claim.region, "s3", "aws4_request"):
        key = _mac(key, part)
    return key


# ---- the two places of a claim -------------------------------------------------------------------
def _of_header(message: Message, authorization: str) -> Claim:
    match = _HEADER.fullmatch(authorization.strip())
    if match is None:
        raise _other_mechanism(authorization)
    fields = {}
    for part in match[1].split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    try:
        credential, signed, signature = fields["Credential"], fields["SignedHeaders"], fields["Signature"]
    except KeyError as error:
        raise S3Error("AuthorizationHeaderMalformed", f"The authorization header lacks {error.args[0]}.") from error
    payload = message.header("x-amz-content-sha256")
    if not payload:
        raise S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256.")
    time = _header_time(message)
    return _claim("AuthorizationHeaderMalformed", credential, time, signed, signature, payload)


def _header_time(message: Message) -> datetime:
    """x-amz-date, or Date where that is absent."""
    try:
        if stamp := message.header("x-amz-date"):
            return datetime.strptime(stamp, _TIME).replace(tzinfo=UTC)
        found = datetime.strptime(message.header("date"), "%a, %d %b %Y %H:%M:%S GMT")
        return found.replace(tzinfo=UTC)
    except ValueError as error:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header.") from error


def _of_query(message: Message, query: Mapping[str, str]) -> Claim:
    code = "AuthorizationQueryParametersError"
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise S3Error(code, f"X-Amz-Algorithm only supports {ALGORITHM}.")
    if len({name for name, _ in message.query}) != len(message.query):
        raise S3Error(code, "A query parameter of a presigned address is there twice.")
    try:
        expires = whole(query["X-Amz-Expires"], least=1, most=MAXIMUM_EXPIRY_SECONDS)
        time = datetime.strptime(query["X-Amz-Date"], _TIME).replace(tzinfo=UTC)
        credential, signed, signature = (query[f"X-Amz-{n}"] for n in ("Credential", "SignedHeaders", "Signature"))
    except (KeyError, ValueError) as error:
        raise S3Error(
            code, "A presigned address needs X-Amz-Credential, -Date, -Expires, -SignedHeaders and -Signature."
        ) from error
    if expires is None:
        raise S3Error(code, "X-Amz-Expires must be between 1 second and 7 days.")
    payload = query.get("X-Amz-Content-Sha256") or message.header("x-amz-content-sha256") or UNSIGNED
    return _claim(code, credential, time, signed, signature, payload, expires)


def _claim(
    code: str, credential: str, time: datetime, signed: str, signature: str, payload: str, expires: int | None = None
) -> Claim:
    match = _CREDENTIAL.fullmatch(credential)
    if not f"{credential}{signed}{signature}".isprintable():  # half of a pair is what no digest and no database takes
        raise S3Error(code, "The credential, the signed headers and the signature are printable text.")
    if match is None or match["service"] != "s3":
        raise S3Error(code, "The credential must be KEY/YYYYMMDD/REGION/s3/aws4_request.")
    if match["date"] != time.strftime("%Y%m%d"):
        raise S3Error(code, "The date of the credential is not that of the request.")
    names = tuple(signed.split(";"))
    if list(names) != sorted(set(names)) or any(name != name.lower() or not name for name in names):
        raise S3Error(code, "SignedHeaders must be lower-case, sorted and without repetition.")
    return Claim(match["key"], match["date"], match["region"], time, names, signature, payload, expires)


def _check(message: Message, claim: Claim, now: datetime) -> None:
    """What no signature could make right."""
    present = {name for name, _ in message.headers}
    loose = sorted(n for n in present if n.startswith("x-amz-") and n not in claim.signed_headers)
    if "host" not in claim.signed_headers:
        loose.append("host")
    if loose:
        raise S3Error(
            "AccessDenied", f"There were headers present in the request which were not signed: {', '.join(loose)}."
        )
    if missing := [name for name in claim.signed_headers if name not in present]:
        raise S3Error("AccessDenied", f"A signed header is not in the request: {', '.join(missing)[:200]}.")
    if message.header("x-amz-security-token") or any(name == "X-Amz-Security-Token" for name, _ in message.query):
        raise S3Error("InvalidToken", "This hub gives no session tokens.", details="Unset AWS_SESSION_TOKEN.")
    if claim.expires_seconds is None:
        if abs(now - claim.time) > MAXIMUM_SKEW:
            raise S3Error(
                "RequestTimeTooSkewed",
                f"The request's time {claim.amz_date} is too far from the hub's {now.strftime(_TIME)}.",
                details="Set the clock of the machine that asks.",
            )
        return
    if claim.time - now > MAXIMUM_SKEW:
        raise S3Error("AccessDenied", "Request is not valid yet.")
    if now > claim.time + timedelta(seconds=claim.expires_seconds):
        raise S3Error("AccessDenied", "Request has expired.", details="Make a new link.")


def _other_mechanism(authorization: str) -> S3Error:
    scheme = authorization.split(" ", 1)[0]
    if scheme == "AWS" or scheme.startswith("AWS4-"):
        return unsupported()
    return S3Error(
        "InvalidRequest",
        "This address takes requests signed with AWS4-HMAC-SHA256 only.",
        details="Give an S3 client your access token as both access key id and secret access key.",
    )


def unsupported() -> S3Error:
    return S3Error(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        details="Set the client's signature version to 4 (s3v4).",
    )


# ---- small things --------------------------------------------------------------------------------
def _squeezed(message: Message, name: str) -> str:
    return ",".join(" ".join(value.split()) for key, value in message.headers if key == name)


def _quote(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe=_SAFE)


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8", "surrogateescape")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
