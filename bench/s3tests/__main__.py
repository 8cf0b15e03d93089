"""Ceph's s3-tests against a hub: `python -m bench.s3tests DIR`, DIR being a checkout of ceph/s3-tests.

Runs the tests of what the S3 endpoint offers (lists, reads, writes, copies, multipart, ranges, conditions, deletions)
on a hub of its own and prints how many pass. EXCLUDED names, one by one, those that ask for what the endpoint
leaves out by design. Exit code 1 when any other fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from configparser import RawConfigParser
from pathlib import Path

from tests.support import clients, services
from tests.support.hub import embedded_hub, production_hub

OFFERED = (
    "bucket_list or listv2 or object_read or object_write or object_copy or object_head or multipart_upload or ranged"
    " or multi_object or get_object or put_object_ifm"
)
MARKS = (
    "not encryption and not versioning and not acl and not bucket_policy and not lifecycle and not tagging"
    " and not object_lock and not fails_on_aws and not s3select and not bucket_logging and not object_ownership"
    " and not checksum2"
)
_VERSIONS = "the endpoint keeps one version of an object; git and DVC keep the history"
_PUBLIC = "access is the repository's, there are no ACLs, bucket policies or anonymous writers"
_ALT = "needs a second account whose buckets the first may not read; the suite is given one"
EXCLUDED = {
    "test_bucket_list_return_data_versioning": _VERSIONS,
    "test_versioning_concurrent_multi_object_delete": _VERSIONS,
    "test_versioning_multi_object_delete": _VERSIONS,
    "test_versioning_multi_object_delete_with_marker": _VERSIONS,
    "test_versioning_multi_object_delete_with_marker_create": _VERSIONS,
    "test_versioning_bucket_multipart_upload_return_version_id": _VERSIONS,
    "test_object_copy_versioned_bucket": _VERSIONS,
    "test_object_copy_versioned_url_encoding": _VERSIONS,
    "test_object_copy_versioning_multipart_upload": _VERSIONS,
    "test_bucket_list_objects_anonymous": _PUBLIC,
    "test_bucket_listv2_objects_anonymous": _PUBLIC,
    "test_object_raw_get_object_gone": _PUBLIC,
    "test_object_copy_canned_acl": _PUBLIC,
    "test_list_multipart_upload_owner": _PUBLIC,
    "test_multipart_upload_on_a_bucket_with_policy": _PUBLIC,
    "test_cors_presigned_get_object": _PUBLIC,
    "test_cors_presigned_get_object_tenant": _PUBLIC,
    "test_cors_presigned_get_object_v2": "signatures of version 2 are not taken",
    "test_cors_presigned_get_object_tenant_v2": "signatures of version 2 are not taken",
    "test_object_copy_not_owned_bucket": _ALT,
    "test_object_copy_not_owned_object_bucket": _ALT,
    "test_object_read_unreadable": "RGW's own refusal of some keys that are UTF-8; here they are keys",
    "test_get_object_torrent": "nobody offers it any more; 501 here",
    "test_get_object_attributes": "not among the operations offered; 501",
}
OWNER = "ceph"
PEOPLE = ("s3 main", "s3 alt", "s3 tenant", "iam", "iam root", "iam alt root")  # all of them one


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("checkout", type=Path)
    options.add_argument("--production", action="store_true", help="PostgreSQL, SeaweedFS and Redis")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="s3tests-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another person
        if chosen.production:
            os.environ.update(services.production_environment(name))
        (folder / "home").mkdir(mode=0o700)
        hub = (production_hub if chosen.production else embedded_hub)(folder / "home")
        try:
            hub.start()
            return run(chosen.checkout.resolve(), hub.url, hub.user(OWNER, admin=True), folder)
        finally:
            hub.stop()
            services.stop_all()


def run(checkout: Path, url: str, token: str, folder: Path) -> int:
    with (folder / "conf").open("w") as file:
        configuration(url, token).write(file)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{Path(__file__).parent}:{checkout}",
        "S3TEST_CONF": str(folder / "conf"),
        "HUB_URL": url,
        "HUB_OWNER": OWNER,
        "HUB_TOKEN": token,
    }
    left_out = [f"--deselect=s3tests/functional/test_s3.py::{name}" for name in EXCLUDED]
    command = ["-m", "pytest", "-q", "--tb=line", "-p", "hubs3", "-p", "no:cacheprovider", "-k", OFFERED, "-m", MARKS]
    print(*(f"excluded: {name}: {why}" for name, why in EXCLUDED.items()), sep="\n", flush=True)
    python = clients.environment("s3tests") / "python"
    tests = "s3tests/functional/test_s3.py"
    return subprocess.run([python, *command, *left_out, tests], cwd=checkout, env=environment).returncode


def configuration(url: str, token: str) -> RawConfigParser:
    """What the suite reads of the service and of its people."""
    host, _, port = url.removeprefix("http://").partition(":")
    person = {"display_name": OWNER, "user_id": OWNER, "email": f"{OWNER}@example.org", "api_name": "default"}
    person |= {"access_key": token, "secret_key": token, "tenant": OWNER}
    made = RawConfigParser()
    made.read_dict({"DEFAULT": {"host": host, "port": port, "is_secure": "False"}})
    made.read_dict({"fixtures": {"bucket prefix": "t-{random}-"}} | dict.fromkeys(PEOPLE, person))
    return made


if __name__ == "__main__":
    sys.exit(main())
