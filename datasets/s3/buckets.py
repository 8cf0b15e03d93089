"""What is asked of a bucket, and of the endpoint: lists, and the few fixed answers."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q

from datasets.s3 import documents, listing
from datasets.s3.addresses import DVC
from datasets.s3.call import S3Call
from datasets.s3.documents import Markup, many, node
from datasets.s3.errors import S3Error
from datasets.s3.listing import Page
from datasets.s3.reading import owner
from hub.accounts.actor import Actor, Area
from hub.lib.numbers import whole
from hub.lib.streams import in_thread
from hub.lib.unicode import is_utf8
from repos.models import Repository

PAGE_BUCKETS = 1_000


# ---- buckets -----------------------------------------------------------------------------------------
async def list_buckets(call: S3Call) -> None:
    """Those of the repository in the address; without one, those the caller may read of the owner's or of theirs."""
    if call.found is not None:
        found = [(DVC, call.found), (call.found.name, call.found)]
    else:
        found = await in_thread(
            buckets_of, call.actor, call.address.owner, after=call.query.get("continuation-token", "")
        )
    more = len(found) > PAGE_BUCKETS
    rows = [
        node("Bucket", node("Name", name), node("CreationDate", documents.stamp(repository.created)))
        for name, repository in found[:PAGE_BUCKETS]
    ]
    name = call.actor.username or "anonymous"
    who = node("Owner", node("ID", name), node("DisplayName", name))
    token = node("ContinuationToken", found[PAGE_BUCKETS - 1][0]) if more else None
    await call.document("ListAllMyBucketsResult", who, node("Buckets", many(rows)), token)


def buckets_of(actor: Actor, owner_name: str, *, after: str) -> list[tuple[str, Repository]]:
    """(bucket, repository), one more than a page holds."""
    rows = Repository.objects.visible_to(actor, area=Area.DATA).select_related("owner")
    if owner_name:
        rows = rows.filter(owner__name_key=owner_name.lower(), name_key__gt=after.lower()).order_by("name_key")
        return [(row.name, row) for row in rows[: PAGE_BUCKETS + 1]]
    rows = rows.filter(Q(owner__user=actor.user) | Q(memberships__user=actor.user)).distinct()
    first, _, last = after.lower().removesuffix(".dvc").partition(".")
    rows = rows.filter(Q(owner__name_key__gt=first) | Q(owner__name_key=first, name_key__gt=last))
    rows = rows.order_by("owner__name_key", "name_key")[: PAGE_BUCKETS // 2 + 1]
    return [(f"{row.owner.name}.{row.name}{suffix}", row) for row in rows for suffix in ("", ".dvc")]


async def head_bucket(call: S3Call) -> None:
    await call.answer(headers=[("x-amz-bucket-region", "us-east-1")])


async def create_bucket(call: S3Call) -> None:
    """A repository's buckets are always there: making one that is yours is no error."""
    await call.read()
    await call.answer(headers=[("location", f"/{call.address.bucket_name}")])


async def get_location(call: S3Call) -> None:
    await call.document("LocationConstraint")


async def get_versioning(call: S3Call) -> None:
    await call.document("VersioningConfiguration")


async def get_bucket_tagging(call: S3Call) -> None:
    raise S3Error("NoSuchTagSet", "The TagSet does not exist.")


# ---- lists -------------------------------------------------------------------------------------------
async def list_objects(call: S3Call) -> None:
    """The first version of the list."""
    query, encode = call.query, encoder(call)
    page, limit = await _page(call, query.get("marker", ""))
    marker = encode(page.last) if page.last and query.get("delimiter") else None
    await call.document(
        "ListBucketResult",
        *_head(call, encode, limit, prefix=query.get("prefix", "")),
        node("Marker", encode(query.get("marker", ""))),
        node("NextMarker", marker) if marker is not None else None,
        _truncated(page),
        _contents(call, page, encode, with_owner=True),
        _prefixes(page, encode),
    )


async def list_objects_v2(call: S3Call) -> None:
    query, encode = call.query, encoder(call)
    token, after = query.get("continuation-token"), query.get("start-after")
    page, limit = await _page(call, token or after or "")
    await call.document(
        "ListBucketResult",
        *_head(call, encode, limit),
        node("KeyCount", len(page.objects) + len(page.prefixes)),
        node("ContinuationToken", token) if token is not None else None,
        node("NextContinuationToken", page.last) if page.last else None,
        node("StartAfter", encode(after)) if after is not None else None,
        _truncated(page),
        _contents(call, page, encode, with_owner=query.get("fetch-owner") == "true"),
        _prefixes(page, encode),
    )


async def list_versions(call: S3Call) -> None:
    """Every object as its only version: tools that empty a bucket ask so."""
    query, encode = call.query, encoder(call)
    page, limit = await _page(call, query.get("key-marker", ""))
    versions = [
        node(
            "Version",
            node("Key", encode(item.key)),
            node("VersionId", "null"),
            node("IsLatest", "true"),
            *_facts(item),
            owner(call),
        )
        for item in page.objects
    ]
    await call.document(
        "ListVersionsResult",
        *_head(call, encode, limit),
        node("KeyMarker", encode(query.get("key-marker", ""))),
        node("VersionIdMarker", query.get("version-id-marker", "")),
        node("NextKeyMarker", encode(page.last)) if page.last else None,
        node("NextVersionIdMarker", "null") if page.last else None,
        _truncated(page),
        many(versions),
        _prefixes(page, encode),
    )


async def _page(call: S3Call, after: str) -> tuple[Page, int]:
    query, limit = call.query, max_keys(call.query.get("max-keys"))
    page = await in_thread(
        listing.told_page if call.may_push else listing.page,
        call.repository.pk,
        call.bucket,
        prefix=_asked(query.get("prefix", "")),
        delimiter=_asked(query.get("delimiter", "")),
        after=_asked(after),
        limit=limit,
    )
    return page, limit


def max_keys(text: str | None, name: str = "max-keys") -> int:
    """1,000 for none given and for more. Raises S3Error."""
    if text is None or text == "":
        return documents.MAX_KEYS
    number = whole(text)
    if number is None:
        raise S3Error("InvalidArgument", f"{name} must be a number, 0 or more.")
    return min(number, documents.MAX_KEYS)


def _asked(text: str) -> str:
    """A text that keys can be compared with. Raises S3Error."""
    if not is_utf8(text):
        raise S3Error("InvalidArgument", "A parameter of the list is not UTF-8.")
    if "\0" in text:
        raise S3Error("InvalidArgument", "A parameter of the list holds a NUL character.")
    return text


def encoder(call: S3Call) -> Callable[[str], str]:
    """How keys are written in a list: with encoding-type=url percent-encoded, else as they are."""
    kind = call.query.get("encoding-type")
    if kind not in {None, "", "url"}:
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request: only url is known.")
    return documents.url_encoded if kind == "url" else str


def _head(call: S3Call, encode: Callable[[str], str], limit: int, *, prefix: str | None = None) -> list[Markup | None]:
    """prefix: as the answer tells it, where that is not encoded: botocore does not decode it in the first version."""
    query = call.query
    delimiter = query.get("delimiter")
    return [
        node("Name", call.address.bucket_name),
        node("Prefix", encode(query.get("prefix", "")) if prefix is None else prefix),
        node("Delimiter", encode(delimiter)) if delimiter else None,
        node("MaxKeys", limit),
        node("EncodingType", "url") if query.get("encoding-type") else None,
    ]


def _truncated(page: Page) -> Markup:
    return node("IsTruncated", "true" if page.last else "false")


def _contents(call: S3Call, page: Page, encode: Callable[[str], str], *, with_owner: bool) -> Markup:
    who = owner(call) if with_owner else None
    return many(node("Contents", node("Key", encode(item.key)), *_facts(item), who) for item in page.objects)


def _facts(item: listing.Item) -> list[Markup]:
    return [
        node("LastModified", documents.stamp(item.created)),
        node("ETag", f'"{item.etag}"'),
        node("Size", item.size),
        node("StorageClass", "STANDARD"),
    ]


def _prefixes(page: Page, encode: Callable[[str], str]) -> Markup:
    return many(node("CommonPrefixes", node("Prefix", encode(prefix))) for prefix in page.prefixes)
