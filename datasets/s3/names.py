"""What may be stored under which key: the bucket `dvc` holds DVC's objects only, each under the name of its bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from datasets.s3.addresses import OWN
from datasets.s3.errors import S3Error

_OBJECT = re.compile(r"(?P<layout>files/md5/)?(?P<shard>[0-9a-f]{2})/(?P<rest>[0-9a-f]{30})(?:\.dir)?")
_RUN = re.compile(r"runs/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}")  # DVC's run cache: named by inputs, not by bytes


@dataclass(frozen=True)
class Rule:
    """md5s: what the bytes must have, none for any. unix_text: DVC 2's names, which may be of text with LF.

    fixed: bytes under this key never change, so the first that came stay."""

    md5s: frozenset[str] = frozenset()
    unix_text: bool = False
    fixed: bool = False


def rule_of(bucket: str, key: str) -> Rule:
    """Raises S3Error for a key that the bucket does not take."""
    if bucket == OWN:
        return Rule()
    if match := _OBJECT.fullmatch(key):
        return Rule(frozenset({match["shard"] + match["rest"]}), match["layout"] is None, fixed=True)
    if _RUN.fullmatch(key):
        return Rule()
    raise S3Error(
        "InvalidArgument",
        "The bucket dvc holds DVC's objects only: files/md5/…, and runs/… of its run cache.",
        details="Put other files into the bucket that is named like the repository.",
    )


def wrong_bytes(md5: str) -> S3Error:
    return S3Error(
        "BadDigest",
        f"The body is not the object that its key names: it has the md5 {md5}.",
        details="Nothing was stored. The file in DVC's cache may be damaged: `dvc status`, then `dvc push` again.",
    )
