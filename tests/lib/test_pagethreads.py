"""The threads of pages are kept, and with them their database connections."""

from __future__ import annotations

import asyncio
import threading

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.db.backends.signals import connection_created

from hub.lib.pagethreads import KEPT, PageThreads
from hub.lib.streams import POOL_THREADS
from repos.models import Repository
from tests.support.asgi import exchange


async def _thread_of(threads: PageThreads) -> int:
    with threads.take() as executor:
        async with ThreadSensitiveContext(executor=executor):
            first, second = await sync_to_async(threading.get_ident)(), await sync_to_async(threading.get_ident)()
    assert first == second
    return first


def test_requests_one_after_the_other_share_a_thread() -> None:
    async def visits() -> set[int]:
        threads = PageThreads()
        return {await _thread_of(threads) for _ in range(5)}

    assert len(asyncio.run(visits())) == 1


def test_requests_at_once_have_a_thread_each_and_few_are_kept() -> None:
    async def visits() -> tuple[set[int], int]:
        threads, all_in = PageThreads(), threading.Barrier(KEPT + 4)

        async def visit() -> int:
            with threads.take() as executor:
                async with ThreadSensitiveContext(executor=executor):
                    await sync_to_async(all_in.wait)(30)
                    return await sync_to_async(threading.get_ident)()

        found = await asyncio.gather(*(visit() for _ in range(KEPT + 4)))
        return set(found), len(threads.free)

    found, kept = asyncio.run(visits())
    assert len(found) == KEPT + 4
    assert kept == KEPT


@pytest.mark.skipif(not settings.SQLITE, reason="PostgreSQL's connections are kept by its pool")
@pytest.mark.django_db(transaction=True)
def test_pages_and_machines_keep_their_connections(public: Repository) -> None:
    opened: list[str] = []

    def count(**_: object) -> None:
        opened.append(threading.current_thread().name)

    async def visits() -> None:
        for _ in range(2 * POOL_THREADS):
            assert (await exchange("GET", "/explore", headers={"host": "testserver"})).status == 200
            absent = f"/alice/public.dvc/files/md5/00/{'0' * 30}"
            assert (await exchange("GET", absent, headers={"host": "testserver"})).status == 404

    connection_created.connect(count)
    try:
        asyncio.run(visits())
    finally:
        connection_created.disconnect(count)
    assert len(opened) == len(set(opened)) <= POOL_THREADS + 1
