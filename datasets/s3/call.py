"""One S3 request on its way: what was asked, by whom, of which bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datasets import objects
from datasets.models import StoredObject
from datasets.s3 import documents, metadata
from datasets.s3.addresses import DVC, Address
from datasets.s3.bodies import Body
from datasets.s3.chunks import Signer
from datasets.s3.signatures import Claim, Message
from hub.accounts.actor import Actor
from hub.lib.streams import Request
from repos.models import Repository

XML = ("content-type", "application/xml")


@dataclass(frozen=True)
class S3Call:
    """One gated request. repository None: the endpoint itself was asked, not a bucket. bucket: DVC or OWN.

    claim None: unsigned. signer: for signed chunks of the body. row: what the key names, for operations that read.
    data: its bytes, for a GET, when they are few and near."""

    request: Request
    message: Message
    address: Address
    actor: Actor
    claim: Claim | None
    signer: Signer | None
    found: Repository | None
    bucket: str
    row: StoredObject | None = None
    data: bytes | None = None

    @property
    def repository(self) -> Repository:
        assert self.found is not None, "only operations on the endpoint itself have none"
        return self.found

    @property
    def key(self) -> str:
        return self.address.key

    @property
    def query(self) -> dict[str, str]:
        return dict(self.message.query)

    @property
    def may_push(self) -> bool:
        """Whether what this call hears of DVC's objects decides what is sent."""
        return self.bucket == DVC and objects.may_push(self.actor, self.repository)

    def header(self, name: str) -> str:
        return self.request.headers.get(name, "")

    @property
    def wishes(self) -> Mapping[str, str]:
        """What headers say of the object: of a presigned address also those in its query, which version 4 signs."""
        if self.claim is None or not self.claim.expires_seconds:
            return self.request.headers
        return metadata.moved(self.message.query) | self.request.headers

    async def answer(self, body: bytes = b"", headers: Iterable[tuple[str, str]] = (), *, status: int = 200) -> None:
        """An XML document, or nothing at all."""
        await self.request.respond(status, body, [*headers, *([XML] if body else [])])

    async def document(self, name: str, *children: object) -> None:
        await self.answer(documents.document(name, *children))

    async def read(self) -> bytes:
        """The whole small body. Raises TooLarge."""
        return b"".join([piece async for piece in Body(self, limit_bytes=documents.MAX_BODY_BYTES).stream()])
