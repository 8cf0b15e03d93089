"""The S3 endpoint as raw ASGI: address → operation → signature → gate → handler. Errors are S3's XML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from datasets import objects
from datasets.s3 import addresses, documents, old_signatures, operations, reading, rows, signatures
from datasets.s3.addresses import Address
from datasets.s3.call import XML, S3Call
from datasets.s3.chunks import STREAMING, Signer
from datasets.s3.errors import S3Error, code_and_status, no_such_bucket
from datasets.s3.old_signatures import OldClaim
from datasets.s3.operations import BUCKET, ENDPOINT, OBJECT, OPERATIONS, Operation
from datasets.s3.signatures import Claim, Message
from hub.accounts.actor import Actor, Area
from hub.accounts.authentication import actor_from_key
from hub.lib.errors import Denied, HubError, NotFound
from hub.lib.streams import ClientGone, Request, in_thread
from repos import access
from repos.models import Access, Repository
from repos.surface import Route, Surface, route


def message_of(request: Request, rest: str) -> Message:
    """rest: the raw path below the endpoint."""
    headers = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in request.scope["headers"]]
    query = signatures.query_pairs(request.scope.get("query_string", b""))
    return Message(request.method, request.path, query, headers, f"/{rest}")


def is_signed(request: Request) -> bool:
    """Whether a request can only be meant for S3: what the form without a path in its endpoint goes by."""
    query = request.scope.get("query_string", b"")
    presigned = b"X-Amz-Algorithm=" in query or (b"AWSAccessKeyId=" in query and b"Signature=" in query)
    return request.headers.get("authorization", "").startswith(("AWS4-HMAC-SHA256", "AWS ")) or presigned


class S3Surface(Surface):
    """One of the three forms of addresses. place: what an address below it names."""

    def __init__(self, suffix: str, place: Callable[[str, str, str], Address], bucket: str) -> None:
        super().__init__(suffix, Area.DATA, _routes(bucket))
        self.place = place

    async def _dispatch(self, request: Request, owner: str, name: str, rest: str) -> None:
        message = message_of(request, rest)
        address = self.place(owner, name, rest)
        operation = operations.find(address, message)
        call = await in_thread(_gated, request, message, address, operation)
        await operation.handler(call)

    async def respond_error(self, request: Request, error: HubError) -> None:
        if request.started:
            return
        code, status = code_and_status(error)
        text = f"{error.message} {error.details}".strip()
        body = documents.error_document(code, text, request.path, request.request_id)
        try:
            await request.respond(status, body, [XML, ("cache-control", "no-store"), *error.headers.items()])
        except ClientGone:
            return


def _gated(request: Request, message: Message, address: Address, operation: Operation) -> S3Call:
    """Everything that is asked before a byte of the body is read. Raises HubError."""
    claim = claim_of(message, address)
    actor, secret = actor_of(request, message, claim)
    bucket = address.bucket if address.bucket_name else None
    owner, name = (bucket.owner, bucket.name) if bucket else (address.owner, address.name)
    found: Repository | None = None
    try:
        if name or bucket:
            found = repository_of(actor, owner, name, operation)
        elif actor.is_anonymous:
            raise NotFound()
        else:
            access.require_scope(actor, Area.DATA, write=False)
    except (NotFound, Denied) as error:
        if actor.is_anonymous:  # whether or not it exists
            raise S3Error("AccessDenied", "Access Denied.", details="Sign the request with an access token.") from error
        if isinstance(error, Denied):
            raise
        raise no_such_bucket() from error
    if bucket and not bucket.kind:
        raise S3Error(
            "NoSuchBucket", "The specified bucket does not exist.", details=f"Here are dvc and {bucket.name}."
        )
    if found is not None:  # not its signature, which may be too old by then
        request.confirm = partial(access.ask_again, actor, found, need=operation.need, area=Area.DATA)
    kind = bucket.kind if bucket else ""
    # What a read is about, in the same trip to a thread.
    reads = bool(address.key) and operation.need is Access.READ
    row = rows.find(found.pk, kind, address.key) if found is not None and reads else None
    call = S3Call(request, message, address, actor, claim, signer_of(claim, secret), found, kind, row)
    if row and call.may_push and not objects.tell(row):
        return replace(call, row=None)
    if row and operation.handler is reading.get_object and request.method == "GET":
        return replace(call, data=reading.at_hand(row))
    return call


def claim_of(message: Message, address: Address) -> Claim | None:
    """What the request claims in either version, None when it is not signed. Raises S3Error."""
    now = datetime.now(UTC)
    old = old_signatures.claim_of(message, now=now)
    if old and not address.key:  # its prefix would not be signed
        raise signatures.unsupported()
    return old or signatures.claim_of(message, now=now)


def actor_of(request: Request, message: Message, claim: Claim | None) -> tuple[Actor, str]:
    """(who has signed, with which secret). Raises Unauthenticated, Throttled, S3Error."""
    if claim is None:
        return Actor(address=request.remote_address), ""

    def verify(secret: str) -> None:
        if isinstance(claim, OldClaim):
            old_signatures.verify(message, claim, secret)
        else:
            signatures.verify(message, claim, secret)

    return actor_from_key(claim.key_id, verify, address=request.remote_address)


def repository_of(actor: Actor, owner: str, name: str, operation: Operation) -> Repository:
    """The same repository by a name it had: an S3 client cannot follow a redirect with its signature."""
    try:
        return access.repository_for(actor, owner, name, need=operation.need, area=Area.DATA)
    except access.Moved as moved:
        return access.repository_for(actor, moved.owner, moved.name, need=operation.need, area=Area.DATA)


def signer_of(claim: Claim | None, secret: str) -> Signer | None:
    if claim is None or claim.payload not in STREAMING:
        return None
    return Signer(signatures.signing_key(secret, claim), claim.amz_date, claim.scope, claim.signature)


def _routes(bucket: str) -> list[Route]:
    """The table as the walk over all routes reads it: a sample path with its query, for each operation."""
    paths = {ENDPOINT: "", BUCKET: bucket, OBJECT: f"{bucket}/" if bucket else ""}
    made = []
    for operation in OPERATIONS:
        path = paths[operation.on] + (f"runs/ab/{'0' * 64}/{'1' * 64}" if operation.on == OBJECT else "")
        words = operation.word.replace("list-type", "list-type=2").replace("partNumber", "partNumber=1")
        query = rf"\?{words.replace('+', '&').replace('uploadId', 'uploadId=x')}" if words else ""
        made.append(route(operation.method, quote(path) + query, _unreached, operation.need))
    return made


async def _unreached(_: object) -> None:
    raise AssertionError("an S3 surface finds its operations itself")


surface = S3Surface(".s3", addresses.of_repository, "dvc")
of_owner = S3Surface("/api/v1/repo-buckets/s3", addresses.of_owner, "")
of_host = S3Surface("", addresses.of_host, "")
