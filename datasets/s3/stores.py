"""What the object store says, in S3's words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from datasets.s3.errors import S3Error
from datasets.s3.names import wrong_bytes
from hub.lib.errors import STORE_AWAY, OutOfSpace, Upstream, says_disk_full
from hub.lib.objectstore import DigestMismatch, ObjectMissing, ObjectStoreError

logger = logging.getLogger("covey.s3")


@contextmanager
def upstream() -> Iterator[None]:
    try:
        yield
    except DigestMismatch as error:
        raise wrong_bytes(str(error).rstrip(".").rpartition(" ")[2]) from error
    except ObjectMissing as error:
        logger.error("the store has lost %s", error)
        raise S3Error("InternalError", "The hub has lost these bytes.", details="Upload them again.") from error
    except ObjectStoreError as error:
        logger.error("%s", error)
        if says_disk_full(error):
            raise OutOfSpace() from error
        raise Upstream("The hub's object store did not take part.", details=STORE_AWAY) from error
