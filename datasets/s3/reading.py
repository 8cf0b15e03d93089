"""GetObject, HeadObject, and the fixed answers about an object."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial

from datasets.models import StoredObject
from datasets.s3 import metadata, rows
from datasets.s3.call import S3Call
from datasets.s3.checksums import PREFIX
from datasets.s3.documents import Markup, many, node
from datasets.s3.errors import S3Error, no_such_key
from datasets.s3.stores import upstream
from datasets.storage import intact
from hub.lib.ranges import serve
from hub.lib.stores import object_store


async def get_object(call: S3Call) -> None:
    """GET and HEAD: bytes or their headers, with ranges and conditions."""
    if call.query.get("versionId", "null") != "null":
        raise S3Error("NoSuchVersion", "This hub keeps one version of an object.")
    row = call.row
    if row is None:
        raise no_such_key()
    as_part = _is_part(call)
    etag = f'"{row.etag}"'
    if not _changed(call, row, etag):
        await call.read()
        return await call.request.respond_empty(304, [("etag", etag), ("last-modified", http_date(row.created))])
    with upstream():
        read = partial(intact.read, row.blob, call.data)
        size, headers = row.blob.size, _headers(call, row)
        await serve(call.request, read, size=size, etag=etag, headers=headers, as_part=as_part)


def _is_part(call: S3Call) -> bool:
    """Whether ?partNumber=1 asks for the whole: a completed upload is one object here. Raises S3Error."""
    number = call.query.get("partNumber", "")
    if number and call.header("range"):
        raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter.")
    if number and number != "1":
        raise S3Error("InvalidPartNumber", "The requested partnumber is not satisfiable.", details="There is part 1.")
    return bool(number)


def at_hand(row: StoredObject) -> bytes | None:
    """Its bytes when they are few and near; blocking."""
    with upstream():
        return object_store().at_hand(row.blob.key, row.blob.size)


def _headers(call: S3Call, row: StoredObject) -> list[tuple[str, str]]:
    kept = {"content-type": metadata.DEFAULT_TYPE, "last-modified": http_date(row.created)} | row.metadata
    ranged = bool(call.header("range"))
    if call.header("x-amz-checksum-mode").upper() != "ENABLED" or ranged:
        kept = {name: value for name, value in kept.items() if not name.startswith(PREFIX)}
    if call.claim is None or call.claim.expires_seconds is not None:  # a browser may have been sent here
        kept.setdefault("content-disposition", "attachment")
    return list((kept | metadata.overrides(call.query)).items())


def _changed(call: S3Call, row: StoredObject, etag: str) -> bool:
    """Whether the client wants this version. Raises S3Error when it wants another one. Follows RFC 9110, 13.2.2."""
    when = row.created.replace(microsecond=0)
    if match := call.header("if-match"):
        if not _names(match, etag):
            raise rows.precondition_failed("If-Match")
    elif (since := _date(call.header("if-unmodified-since"))) and when > since:
        raise rows.precondition_failed("If-Unmodified-Since")
    if none := call.header("if-none-match"):
        return not _names(none, etag)
    since = _date(call.header("if-modified-since"))
    return since is None or when > since


def _names(header: str, etag: str) -> bool:
    """Clients send etags with and without their quotes."""
    names = [name.strip().removeprefix("W/").strip('"') for name in header.split(",")]
    return "*" in names or etag.strip('"') in names


def _date(header: str) -> datetime | None:
    """None for an absent or malformed date, which is to be ignored."""
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


async def get_tagging(call: S3Call) -> None:
    _must_exist(call)
    await call.document("Tagging", node("TagSet"))


async def get_acl(call: S3Call) -> None:
    """Of a bucket or an object: its owner may do everything, as the repository's page says who else."""
    if call.key:
        _must_exist(call)
    await call.document("AccessControlPolicy", owner(call), node("AccessControlList", many([_grant(call)])))


def _must_exist(call: S3Call) -> None:
    if call.row is None:
        raise no_such_key()


def owner(call: S3Call) -> Markup:
    name = call.repository.owner.name
    return node("Owner", node("ID", name), node("DisplayName", name))


def _grant(call: S3Call) -> Markup:
    name = call.repository.owner.name
    grantee = node("Grantee", node("ID", name), node("DisplayName", name))
    kind = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'
    typed = Markup(grantee.replace("<Grantee>", f"<Grantee{kind}>", 1))
    return node("Grant", typed, node("Permission", "FULL_CONTROL"))
