"""A cache server that is away costs speed, never an answer."""

from __future__ import annotations

import socket

import pytest

from hub.lib.cache import ForgivingRedisCache
from tests.support import services


@pytest.fixture
def away():
    """A cache whose server nobody has started."""
    address = f"redis://127.0.0.1:{services.free_port()}/0"
    return ForgivingRedisCache(address, {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}})


def test_every_key_is_absent_and_nothing_is_raised(away):
    assert away.add("k", 1) is False
    away.set("k", 1)
    assert away.get("k") is None
    assert away.get("k", "else") == "else"
    assert away.get_or_set("k", lambda: 7) == 7
    assert away.get_many(["k"]) == {}
    assert away.has_key("k") is False
    assert away.set_many({"k": 1}) == ["k"]
    assert away.touch("k") is False
    assert away.delete("k") is False
    away.delete_many(["k"])
    away.clear()


def test_counting_says_that_the_key_is_absent(away):
    with pytest.raises(ValueError, match="not found"):
        away.incr("k")


def test_one_that_answers_keeps_what_it_is_told(tmp_path):
    there = ForgivingRedisCache(services.redis_server(tmp_path / "redis") + "/0", {})
    there.set("k", 1)
    assert there.add("k", 2) is False
    assert there.incr("k") == 2
    assert there.get_many(["k", "other"]) == {"k": 2}
    assert there.delete("k") is True
    with pytest.raises(ValueError):
        there.incr("k")


def test_one_that_is_frozen_costs_its_seconds_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections and never says a word
        address = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        cache = ForgivingRedisCache(address, {"OPTIONS": {"socket_timeout": 0.05}})
        assert cache.get("k") is None
        assert reached(frozen)
        assert cache.get("k") is None
        assert cache.add("k", 1) is False
        assert not reached(frozen)


def reached(server: socket.socket) -> int:
    """How many connections wait to be accepted; none does afterwards."""
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1
