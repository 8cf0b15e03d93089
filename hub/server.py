"""`covey serve`: the ASGI application on uvicorn. Only this and http_protocol.py know which server runs."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import threading
import time

from hub import bind
from hub.lib import cores
from hub.supervisor import READY

logger = logging.getLogger("covey.server")
KEEP_ALIVE_SECONDS = 30
GRACE_SECONDS = 8  # and some for last words; the supervisor waits longer than both
READY_SECONDS = 60


def serve(*, descriptor: int | None = None, first: bool = False) -> int:
    """Serve until told to stop. descriptor: a listening socket of the supervisor. first: print a link for the first
    administrator while there is no other way in."""
    listening = bind.listen() if descriptor is None else bind.adopt(descriptor)
    import django

    django.setup(set_prefix=False)
    from django.conf import settings

    from hub import prepare

    (settings.COVEY_HOME / "bound").write_text(os.environ["COVEY_BIND"])
    prepare.prepare()
    if not settings.SQLITE:
        from hub.lib import postgresql

        postgresql.be_impatient()
    cores.share_one()
    threading.Thread(target=_after_ready, args=(first,), name="ready", daemon=True).start()
    _run(listening)
    return 0


def _run(listening: socket.socket) -> None:
    import uvicorn
    from django.conf import settings

    from hub.http_protocol import BoundedProtocol, Server

    config = uvicorn.Config(
        "hub.asgi:application",
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.COVEY_PROXIES),
        forwarded_allow_ips=settings.COVEY_PROXIES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config).run(sockets=[listening])


def _after_ready(first: bool) -> None:
    """Tell people where the hub is once it answers, then load what only some of them need."""
    from django.conf import settings

    if not _healthy(bind.reachable(os.environ["COVEY_BIND"])):
        logger.error("the hub does not answer its own /healthz; see the messages above")
        return
    print(f"{READY}{settings.COVEY_URL}", flush=True)
    if first:
        from hub import sign_in_link

        if link := sign_in_link.for_first_administrator():
            print(f"Sign in as the administrator, once, within an hour: {link}", flush=True)
    from experiments import indexing
    from experiments.mlflow import server as mlflow_server

    indexing.recount()  # a hub that was killed may have missed the last second
    mlflow_server.warm_up()  # seconds and 200 MB: before its first user needs it, after everybody else is served


def _healthy(address: tuple[str, int]) -> bool:
    """Whether /healthz answers 200. The socket listens already, so one connection waits for the start."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(*address, timeout=READY_SECONDS)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException) as error:
            logger.info("not ready: %s", error)
        finally:
            connection.close()
        time.sleep(0.5)  # between two questions to a server that is starting: nothing tells when it is up
    return False
