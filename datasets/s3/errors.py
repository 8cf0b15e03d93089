"""S3's errors: a code that programs read, a status, a sentence that their terminals show."""

from __future__ import annotations

from datasets.storage.quotas import OverQuota
from hub.lib.errors import (
    Busy,
    Conflict,
    Denied,
    HubError,
    Invalid,
    NotFound,
    OutOfSpace,
    Throttled,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unprocessable,
    Upstream,
    WrongMethod,
)

STATUS = {
    "AccessDenied": 403,
    "BadDigest": 400,
    "BucketAlreadyExists": 409,
    "BucketNotEmpty": 409,
    "EntityTooLarge": 400,
    "EntityTooSmall": 400,
    "ExpiredToken": 400,
    "IncompleteBody": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidBucketName": 400,
    "InvalidDigest": 400,
    "InvalidPart": 400,
    "InvalidPartNumber": 416,
    "InvalidPartOrder": 400,
    "InvalidRange": 416,
    "InvalidRequest": 400,
    "InvalidToken": 400,
    "InvalidURI": 400,
    "KeyTooLongError": 400,
    "MalformedXML": 400,
    "MetadataTooLarge": 400,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchTagSet": 404,
    "NoSuchUpload": 404,
    "NoSuchVersion": 404,
    "NotImplemented": 501,
    "AuthorizationHeaderMalformed": 400,
    "AuthorizationQueryParametersError": 400,
    "PreconditionFailed": 412,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
    "XAmzContentChecksumMismatch": 400,
    "XAmzContentSHA256Mismatch": 400,
}
# What the rest of the hub raises, as S3 says it. The first class that fits counts.
CODES: list[tuple[type[HubError], str, int]] = [
    (Unauthenticated, "InvalidAccessKeyId", 403),
    (NotFound, "NoSuchBucket", 404),
    (Denied, "AccessDenied", 403),
    (Throttled, "SlowDown", 503),
    (Busy, "SlowDown", 503),
    (TooLarge, "EntityTooLarge", 400),
    (TooSlow, "RequestTimeout", 400),
    (WrongMethod, "MethodNotAllowed", 405),
    (Conflict, "OperationAborted", 409),
    (Upstream, "ServiceUnavailable", 503),
    (OverQuota, "QuotaExceeded", 507),
    (OutOfSpace, "InsufficientStorage", 507),
    (Unprocessable, "InvalidArgument", 400),
    (Invalid, "InvalidRequest", 400),
]


class S3Error(HubError):
    """One of S3's errors. details: the next step, shown after the message."""

    def __init__(self, s3_code: str, message: str, *, details: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message, details=details, headers=headers)
        self.s3_code, self.code = s3_code, STATUS[s3_code]


def code_and_status(error: HubError) -> tuple[str, int]:
    if isinstance(error, S3Error):
        return error.s3_code, error.code
    if error.code == 416:
        return "InvalidRange", 416
    for kind, code, status in CODES:
        if isinstance(error, kind):
            return code, status
    return "InternalError", 500


def not_implemented(what: str) -> S3Error:
    return S3Error("NotImplemented", f"This hub's S3 endpoint does not offer {what}.")


def no_such_key() -> S3Error:
    return S3Error("NoSuchKey", "The specified key does not exist.")


def no_such_bucket() -> S3Error:
    return S3Error("NoSuchBucket", "The specified bucket does not exist.")


def no_such_upload() -> S3Error:
    return S3Error("NoSuchUpload", "This multipart upload does not exist: never begun, completed or aborted.")
