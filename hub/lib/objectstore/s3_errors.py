"""What boto3 and obstore raise, as errors of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub.lib.objectstore.base import ObjectMissing, ObjectStoreError


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Errors of both clients become ours, with what the store said."""
    try:
        yield
    except Exception as error:  # obstore, botocore and urllib3 have no error in common; any other goes on as it is
        if isinstance(error, ObjectStoreError) or not _is_of_a_client(error):
            raise
        if isinstance(error, FileNotFoundError) or _code(error) in {"404", "NoSuchKey", "NotFound", "NoSuchUpload"}:
            raise ObjectMissing(key) from error
        raise ObjectStoreError(f"The object store did not answer as it should: {str(error)[:300]}") from error


def _is_of_a_client(error: BaseException) -> bool:
    return isinstance(error, OSError) or type(error).__module__.split(".")[0] in {"obstore", "botocore", "urllib3"}


def _code(error: Any) -> str:
    answer = getattr(error, "response", None) or {}  # None: it broke off in the middle
    return str(answer.get("Error", {}).get("Code", ""))


def tag_of(answer: dict[str, Any], key: str) -> str:
    """The ETag of boto3's answer. Raises ObjectStoreError: what stores bytes gives one."""
    if tag := answer.get("ETag"):
        return str(tag)
    raise ObjectStoreError(f"The object store took {key}, and gave no tag for it.")
