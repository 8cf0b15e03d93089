"""`covey doctor`: asks every part the hub stands on, and prints the fix of each problem."""

from __future__ import annotations

import email.utils
import http.client
import re
import secrets
import shutil
import smtplib
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef
from django.utils import timezone
from kombu.exceptions import OperationalError

from datasets.models import Blob, StoredObject
from hub import prepare
from hub.celery import app
from hub.jobs.models import Outbox
from hub.lib.errors import Busy, HubError
from hub.lib.objectstore import ObjectStoreError
from hub.lib.sandbox import walls
from hub.lib.stores import object_store
from repos.git import damage
from repos.models import RefUpdate, Repository

GIT_WANTED = (2, 38)
FREE_BYTES = 2 * 1024**3
SKEW_SECONDS = 5 * 60  # S3 refuses requests whose clock is further off than 15 minutes
TIMEOUT_SECONDS = 5
MOST_NAMED = 10
OVERDUE = timedelta(minutes=5)
_APPLIED = RefUpdate.objects.filter(push__repository=OuterRef("pk"), applied=True)


class Problem(Exception):
    """What is wrong, and the one thing to do about it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


@dataclass(frozen=True)
class Finding:
    """The answer of one part. fix is "" when it is well."""

    part: str
    text: str
    fix: str = ""


def examine() -> list[Finding]:
    """Every part in turn; one that does not answer never keeps the others from being asked, but those that it holds:
    each would wait for the database in vain."""
    found: dict[str, Finding] = {}
    for part, check in CHECKS.items():
        if part in OF_ROWS and found["database"].fix:
            found[part] = Finding(part, "not asked: the database is not in order", "Mend the database first.")
        else:
            found[part] = _ask(part, check)
    return list(found.values())


def _ask(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, check())
    except Problem as problem:
        return Finding(part, problem.what, problem.fix)


def git() -> str:
    found = shutil.which("git")
    if found is None:
        raise Problem("git is not on PATH", "Install git 2.38 or newer.")
    version = subprocess.run([found, "version"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS).stdout.strip()
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < GIT_WANTED:
        raise Problem(f"{version or found} is too old", "Install git 2.38 or newer.")
    return version


def disk() -> str:
    usage = shutil.disk_usage(settings.COVEY_HOME)
    free = f"{usage.free / 1024**3:.1f} of {usage.total / 1024**3:.0f} GiB free under {settings.COVEY_HOME}"
    if usage.free < FREE_BYTES:
        raise Problem(f"only {free}", "Make room, or move COVEY_HOME to a larger disk.")
    return free


def database() -> str:
    try:
        prepare.reach_databases()
        steps = prepare.pending_migrations()
    except Busy as error:
        raise Problem(error.message, error.details) from error
    except DatabaseError as error:
        raise Problem(_first_line(error), "Start the database server, or mend DATABASE_URL.") from error
    if steps:
        raise Problem(f"{steps} migrations behind", "Start the hub: `covey up` and `covey serve` migrate first.")
    return f"{connection.vendor} answers, schema is current"


def cache_server() -> str:
    key = f"doctor-{secrets.token_hex(8)}"
    try:
        if settings.CACHE_URL:
            import redis

            redis.Redis.from_url(settings.CACHE_URL, socket_connect_timeout=3, socket_timeout=3).ping()
        cache.set(key, key, 10)
        if cache.get(key) != key:
            raise Problem("forgets what it is told", "Look at the log and the memory limit of the cache server.")
        cache.delete(key)
    except (OSError, RuntimeError) as error:
        raise Problem(_first_line(error), "Start the server, or mend CACHE_URL.") from error
    except Exception as error:  # redis raises errors of its own, and is not installed with every cache
        if type(error).__module__.split(".")[0] != "redis":
            raise
        raise Problem(_first_line(error), "Start the server, or mend CACHE_URL.") from error
    return "keeps what it is told" if settings.CACHE_URL else "in the memory of each process"


def store() -> str:
    where = settings.COVEY_S3_ENDPOINT or str(settings.OBJECTS_ROOT)
    try:
        object_store().check()
    except (ObjectStoreError, OSError) as error:
        fix = (
            "Mend the COVEY_S3_… settings, or start the store."
            if settings.COVEY_S3_ENDPOINT
            else "Make room, or mend its rights."
        )
        raise Problem(_first_line(error), fix) from error
    return f"reads and writes at {where}"


def objects() -> str:
    """What the scrub has found."""
    try:
        rotten = Blob.objects.filter(rotten__isnull=False)
        count, first = rotten.count(), StoredObject.objects.filter(blob__in=rotten, repository__deleted=None)
        name = first.select_related("repository__owner").order_by("pk").first()
    except DatabaseError as error:
        raise Problem(_first_line(error), "Mend the database first.") from error
    if count:
        where = f", e.g. in {name.repository.full_name}" if name else ""
        raise Problem(
            f"{count:,} objects are damaged or lost{where}",
            "Settings → Storage of the repository names them and says how to send them again; look at the disk.",
        )
    if not settings.SCRUB_DAYS:
        return "never read again (COVEY_SCRUB_DAYS is 0)"
    return f"read again every {settings.SCRUB_DAYS} days; none is known to be damaged"


def refs() -> str:
    """Refs that a power cut left empty: git refuses a repository for one of them."""
    found = Repository.objects.filter(deleted=None).select_related("owner").order_by("pk")
    try:
        gone = [
            row.full_name for row in found.filter(Exists(_APPLIED)).iterator(chunk_size=500) if not row.path.is_dir()
        ]
        names = [
            f"{ref} of {repository.full_name}"
            for repository in found.iterator(chunk_size=500)
            if repository.path.is_dir()
            for ref in (*damage.damaged(repository.path), *damage.lost(repository.path))
        ]
    except DatabaseError as error:
        raise Problem(_first_line(error), "Mend the database first.") from error
    if gone:
        raise Problem(
            f"the git of {', '.join(gone[:MOST_NAMED])}{' …' if len(gone) > MOST_NAMED else ''} is not on disk",
            "Restore a whole backup: one of the databases alone has no git. Or mount the disk it lies on.",
        )
    if names:
        raise Problem(
            f"damaged on disk: {', '.join(names[:MOST_NAMED])}{' …' if len(names) > MOST_NAMED else ''}",
            "Open the repository: the hub restores what its record of pushes knows. Push the others again.",
        )
    return "every ref can be read"


def store_clock() -> str:
    if not settings.COVEY_S3_ENDPOINT:
        return "no S3 store is set"
    url = urlsplit(settings.COVEY_S3_ENDPOINT)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    asked = kind(url.netloc, timeout=TIMEOUT_SECONDS)
    try:
        asked.request("HEAD", "/")
        date = asked.getresponse().getheader("Date")
    except (OSError, http.client.HTTPException) as error:
        raise Problem(_first_line(error), "Mend COVEY_S3_ENDPOINT, or start the store.") from error
    finally:
        asked.close()
    if date is None:
        return "the store tells no time"
    skew = abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time())
    if skew > SKEW_SECONDS:
        raise Problem(f"{skew:.0f} s apart from the S3 store's", "Let both machines keep time by NTP.")
    return f"within {skew + 1:.0f} s of the S3 store's"


def broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=TIMEOUT_SECONDS) as link:
            link.ensure_connection(max_retries=1, timeout=TIMEOUT_SECONDS)
    except (OperationalError, OSError) as error:
        raise Problem(_first_line(error), "Start the broker, or mend BROKER_URL.") from error
    return "answers"


def worker() -> str:
    """Whether events are delivered: the one sign of a live worker that every broker can give."""
    try:
        overdue = Outbox.objects.filter(delivered=None, next_attempt__lt=timezone.now() - OVERDUE)
        waiting, failing = overdue.count(), overdue.exclude(last_error="").first()
    except DatabaseError as error:
        raise Problem(_first_line(error), "Mend the database first.") from error
    if waiting:
        told = f": {failing.last_error.splitlines()[0]}" if failing else ""
        raise Problem(f"{waiting} events wait for more than 5 minutes{told}", "Start `covey worker` and `covey beat`.")
    return "no event is overdue"


def sandbox() -> str:
    if shutil.which("bwrap") is None:
        raise Problem("bubblewrap is missing: previews run with limits, without walls", "Install bubblewrap.")
    if not walls():
        raise Problem(
            "bubblewrap may not make namespaces: previews run with limits, without walls",
            "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; in a container, its seccomp profile).",
        )
    return "bubblewrap works"


def secret() -> str:
    """A hub that was restored or moved under another key lets nobody in who has a second factor."""
    try:
        kept = Authenticator.objects.filter(type=Authenticator.Type.TOTP).order_by("-pk").first()
        if kept is not None:
            get_adapter().decrypt(kept.data["secret"])
    except DatabaseError as error:
        raise Problem(_first_line(error), "Mend the database first.") from error
    except HubError as error:
        raise Problem(
            "SECRET_KEY is not the one that second factors were kept under", "Set SECRET_KEY to what it was before."
        ) from error
    return "opens what was kept under it"


def static() -> str:
    if not prepare.is_collected():
        raise Problem(f"{settings.STATIC_ROOT} is not of this version", "Restart the hub: it collects them.")
    return f"collected in {settings.STATIC_ROOT}"


def mail() -> str:
    if not settings.EMAIL_URL.scheme:
        return "printed to the log (EMAIL_URL is not set)"
    try:
        link = get_connection(timeout=TIMEOUT_SECONDS)
        link.open()
        link.close()
    except (OSError, smtplib.SMTPException) as error:
        raise Problem(_first_line(error), "Mend EMAIL_URL, or start the mail server.") from error
    return f"{settings.EMAIL_HOST} takes our mail"


def address() -> str:
    host = str(urlsplit(settings.COVEY_URL).hostname)
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise Problem(f"{host} does not resolve", "Mend COVEY_URL or the name server.") from error
    if settings.PRODUCTION and not settings.HTTPS:
        raise Problem(
            f"{settings.COVEY_URL} is not https: passwords and tokens cross the network in clear",
            "Put a proxy with a certificate in front and set COVEY_URL=https://….",
        )
    return settings.COVEY_URL


CHECKS: dict[str, Callable[[], str]] = {
    "git": git,
    "disk": disk,
    "database": database,
    "cache": cache_server,
    "store": store,
    "objects": objects,
    "refs": refs,
    "clock": store_clock,
    "broker": broker,
    "worker": worker,
    "sandbox": sandbox,
    "secret": secret,
    "static": static,
    "mail": mail,
    "address": address,
}
OF_ROWS = {"objects", "refs", "worker", "secret"}


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
