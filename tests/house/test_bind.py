from __future__ import annotations

import socket

import pytest

from hub import bind
from hub.env import SettingError


def test_it_takes_the_first_free_port_when_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVEY_BIND", raising=False)
    with bind.listen() as first:
        monkeypatch.delenv("COVEY_BIND")
        with bind.listen() as second:
            assert bind.FIRST_PORT <= first.getsockname()[1] < second.getsockname()[1]


def test_it_says_which_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVEY_BIND", "127.0.0.1:0")
    with bind.listen() as taken:
        monkeypatch.setenv("COVEY_BIND", bind.name_of(taken))
        with pytest.raises(SettingError, match=r"COVEY_BIND is 127\.0\.0\.1:\d+, but that port is taken"):
            bind.listen()


def test_it_makes_a_socket_on_which_the_loop_sets_nodelay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVEY_BIND", "127.0.0.1:0")
    with bind.listen() as opened:
        assert opened.proto == socket.IPPROTO_TCP
        with bind.adopt(socket.socket(fileno=opened.fileno()).detach()) as adopted:
            assert adopted.proto == socket.IPPROTO_TCP
            assert adopted.getsockname() == bind.split(bind.name_of(adopted))
            adopted.detach()


@pytest.mark.parametrize("address", ["8000", "localhost", ":8000", "127.0.0.1:x", "127.0.0.1:99999", "256.0.0.1.x:80"])
def test_it_refuses_a_malformed_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVEY_BIND", address)
    with pytest.raises(SettingError, match="COVEY_BIND"):
        bind.listen()


def test_it_shows_people_an_address_they_can_open() -> None:
    assert bind.browser_url("0.0.0.0:9000") == "http://localhost:9000"
    assert bind.browser_url("[::1]:9000") == "http://[::1]:9000"
