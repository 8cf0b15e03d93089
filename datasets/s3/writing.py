"""PutObject, CopyObject, DeleteObject, DeleteObjects."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.models import Blob, StoredObject
from datasets.s3 import documents, metadata, names, rows
from datasets.s3.addresses import check_key, text_of
from datasets.s3.bodies import Body, declared_bytes
from datasets.s3.call import S3Call
from datasets.s3.documents import node
from datasets.s3.errors import S3Error, no_such_bucket, no_such_key
from datasets.s3.rows import Condition, Wanted
from datasets.s3.stores import upstream
from datasets.storage import quotas
from datasets.storage.intact import md5_of
from hub.accounts.actor import Actor, Area
from hub.lib.errors import NotFound
from hub.lib.stores import object_store
from hub.lib.streams import in_thread
from repos import access
from repos.models import Access, Repository


async def put_object(call: S3Call) -> None:
    """The body under this key. 200 once bytes and rows are durable."""
    if "x-amz-copy-source" in call.request.headers:
        return await copy_object(call)
    rule = names.rule_of(call.bucket, call.key)
    kept, condition = metadata.given(call.wishes), condition_of(call)
    if condition != Condition():
        rows.check(condition, await in_thread(rows.find, call.repository.pk, call.bucket, call.key))
    length = declared_bytes(call)
    body = Body(call, length=length)
    with upstream():
        stream = await quotas.within(body.stream(), call.repository, declared=length)
        stored = await object_store().put(stream, md5s=rule.md5s, unix_text=rule.unix_text)
        kept |= body.checksums
        wanted = Wanted(call.repository.pk, call.bucket, call.key, stored.md5, kept, rule.fixed, condition)
        row = await rows.keep(wanted, stored)
    await call.answer(headers=[("etag", f'"{row.etag}"'), *body.checksums.items()])


def condition_of(call: S3Call) -> Condition:
    none, match = call.header("if-none-match"), call.header("if-match")
    if none and none.strip() != "*":
        raise S3Error("NotImplemented", "If-None-Match of a write takes * only.")
    return Condition(bool(none), match.strip().strip('"'))


# ---- copies ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Source:
    repository: Repository
    bucket: str
    row: StoredObject


async def copy_object(call: S3Call) -> None:
    """No bytes move: the key names the blob that the source names."""
    metadata.refuse_features(call.wishes)
    await call.read()
    source = await in_thread(source_of, call)
    replace = call.header("x-amz-metadata-directive") == "REPLACE"
    same = (source.repository.pk, source.bucket, source.row.key) == (call.repository.pk, call.bucket, call.key)
    if same and not replace:
        raise S3Error("InvalidRequest", "An object is copied to itself only to change its metadata.")
    rule = names.rule_of(call.bucket, call.key)
    with upstream():
        if not await in_thread(may_bear, source.row.blob, rule):
            raise names.wrong_bytes(source.row.blob.md5)
    kept = metadata.given(call.wishes) if replace else source.row.metadata
    wanted = Wanted(call.repository.pk, call.bucket, call.key, source.row.etag, kept, rule.fixed, condition_of(call))
    row = await in_thread(rows.point, wanted, source.row.blob_id)
    modified = node("LastModified", documents.stamp(row.created))
    await call.document("CopyObjectResult", modified, node("ETag", f'"{row.etag}"'))


def may_bear(blob: Blob, rule: names.Rule) -> bool:
    """Whether these bytes may have this name; DVC 2's names of text are not looked into for a copy."""
    return not rule.md5s or md5_of(blob) in rule.md5s


def source_of(call: S3Call) -> Source:
    """What x-amz-copy-source names, behind the same gate. Raises S3Error."""
    path, _, version = call.header("x-amz-copy-source").partition("?")
    if version not in {"", "versionId=null"}:
        raise S3Error("NoSuchVersion", "This hub keeps one version of an object.")
    name, _, key = text_of(path).removeprefix("/").partition("/")
    if not key:
        raise S3Error("InvalidArgument", "x-amz-copy-source must be /BUCKET/KEY.")
    check_key(key)
    bucket = call.address.bucket_of(name)
    repository = readable(call.actor, bucket.owner, bucket.name)
    if not bucket.kind:
        raise no_such_bucket()
    row = rows.find(repository.pk, bucket.kind, key)
    if row is None:
        raise no_such_key()
    _check_source(call, row)
    return Source(repository, bucket.kind, row)


def _check_source(call: S3Call, row: StoredObject) -> None:
    match, none = (call.header(f"x-amz-copy-source-if-{kind}").strip('"') for kind in ("match", "none-match"))
    if match and match not in {"*", row.etag}:
        raise rows.precondition_failed("x-amz-copy-source-if-match")
    if none and none in {"*", row.etag}:
        raise rows.precondition_failed("x-amz-copy-source-if-none-match")


def readable(actor: Actor, owner: str, name: str) -> Repository:
    try:
        return access.repository_for(actor, owner, name, need=Access.READ, area=Area.DATA)
    except access.Moved as moved:
        return access.repository_for(actor, moved.owner, moved.name, need=Access.READ, area=Area.DATA)
    except NotFound as error:
        raise no_such_bucket() from error


# ---- deletions -------------------------------------------------------------------------------------
async def delete_object(call: S3Call) -> None:
    """204 whether or not it was there, as S3 does."""
    if call.query.get("versionId", "null") != "null":
        raise S3Error("NoSuchVersion", "This hub keeps one version of an object.")
    await in_thread(rows.remove, call.repository.pk, call.bucket, [call.key])
    await call.answer(status=204)


async def delete_objects(call: S3Call) -> None:
    asked = await in_thread(documents.deletion, await call.read())
    await in_thread(rows.remove, call.repository.pk, call.bucket, [key for key in asked.keys if "\0" not in key])
    told = [] if asked.quiet else [node("Deleted", node("Key", key)) for key in asked.keys]
    await call.document("DeleteResult", documents.many(told))
