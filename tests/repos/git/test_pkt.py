"""Pkt-lines and push commands: what git sends is read exactly, what strangers send is refused, never a crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repos.git import pkt
from repos.git.pkt import FLUSH, BadRequest, PushParser, Special, Splitter, TooManyCommands
from repos.git.store import ZERO, RefChange

A, B = "a" * 40, "b" * 40


def push(*commands: str, capabilities: str = "report-status side-band-64k", pack: bytes = b"PACK") -> bytes:
    first, *others = commands
    lines = pkt.line(f"{first}\0 {capabilities}".encode()) + b"".join(pkt.line(c.encode()) for c in others)
    return lines + FLUSH + pack


def parse(data: bytes, *, max_commands: int = 10, step: int = 1 << 20) -> PushParser:
    parser = PushParser(max_commands=max_commands)
    for start in range(0, len(data), step):
        parser.feed(data[start : start + step])
    return parser


@pytest.mark.parametrize("step", [1, 3, 7, 1 << 20])
def test_it_reads_the_head_of_a_push_in_any_pieces(step):
    data = push(f"{ZERO} {A} refs/heads/main", f"{A} {B} refs/tags/ü v1")
    parser = parse(data, step=step)
    assert parser.done
    assert parser.request.changes == (RefChange("refs/heads/main", ZERO, A), RefChange("refs/tags/ü v1", A, B))
    assert parser.request.side_band
    assert parser.head == data
    assert parser.rest == b"PACK"


def test_it_reads_push_options_before_the_pack():
    options = pkt.line(b"ci.skip") + FLUSH
    parser = parse(push(f"{ZERO} {A} refs/heads/x", capabilities="push-options", pack=options + b"PACK"))
    assert parser.request.options == ("ci.skip",)
    assert parser.rest == b"PACK"


def test_it_passes_shallow_lines_over():
    parser = parse(pkt.line(f"shallow {A}".encode()) + push(f"{ZERO} {A} refs/heads/x"))
    assert [change.ref for change in parser.request.changes] == ["refs/heads/x"]


def test_the_probe_of_a_large_push_is_empty():
    parser = parse(FLUSH)
    assert parser.done
    assert parser.request.changes == ()


def test_it_stops_at_the_limit_of_commands():
    with pytest.raises(TooManyCommands) as caught:
        parse(push(*[f"{ZERO} {A} refs/tags/{n}" for n in range(11)]))
    assert caught.value.request.side_band


@pytest.mark.parametrize(
    ("name", "why"), [(b"\xff", "a ref name is UTF-8 here"), (b"x" * 400, "a ref name has at most 400 bytes here")]
)
def test_a_name_that_no_ref_can_have_is_refused_by_git_s_own_report(name, why):
    head = f"{ZERO} {A} refs/heads/".encode() + name + b"\0report-status"
    request = parse(pkt.line(head) + FLUSH).request
    assert b"ng refs/heads/" + name + b" " + why.encode() in pkt.refusal(request, "no", request.impossible)


@pytest.mark.parametrize(
    "data",
    [
        b"zzzz",
        b"0003",
        b"-001",
        b"+010",
        b"1_00",
        b"fff5",
        b"0001",
        pkt.line(b"hello"),
        pkt.line(f"{A} {B}".encode()),
        pkt.line(f"{A[:-1]} {B} refs/heads/x".encode()),
        pkt.line(f"{A}{A[:24]} {B}{B[:24]} refs/heads/x".encode()),
        pkt.line(f"{A} {B} ".encode()),
        pkt.line(b"push-cert\0report-status"),
    ],
)
def test_it_refuses_what_git_would_not_send(data):
    with pytest.raises(BadRequest):
        parse(data)


def test_it_refuses_an_endless_head():
    parser = PushParser(max_commands=1)
    with pytest.raises(BadRequest):
        for _ in range(10):
            parser.feed(pkt.line(f"shallow {A}".encode() + b" " * 60_000))


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_parser(data):
    try:
        parser = parse(data, step=5)
    except BadRequest:
        return
    assert parser.head == data
    assert len(parser.request.changes) <= 10


@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from(Special))), st.integers(1, 50))
def test_what_is_written_is_read_back(packets, step):
    data = b"".join(b"%04x" % p if isinstance(p, Special) else pkt.line(p) for p in packets)
    splitter, found = Splitter(), []
    for start in range(0, len(data), step):
        splitter.feed(data[start : start + step])
        while (packet := splitter.take()) is not None:
            found.append(packet)
    assert found == packets
    splitter.end()


@given(st.binary(max_size=300))
def test_no_report_crashes_its_reader(data):
    assert pkt.applied_refs(data) is None or isinstance(pkt.applied_refs(data), set)


def test_it_reads_a_report():
    report = pkt.line(b"unpack ok\n") + pkt.line(b"ok refs/heads/a\n") + pkt.line(b"ng refs/heads/b stale\n") + FLUSH
    assert pkt.applied_refs(report) == {"refs/heads/a"}
    assert pkt.applied_refs(report[:-4]) is None


def test_a_request_cut_short_is_noticed():
    splitter = Splitter()
    assert splitter.count(pkt.line(b"want") + b"0099") == 1
    with pytest.raises(BadRequest):
        splitter.end()


def test_a_refusal_names_every_ref_and_speaks_to_the_person():
    request = parse(push(f"{ZERO} {A} refs/heads/a", f"{ZERO} {B} refs/heads/b")).request
    out = pkt.refusal(request, "no", {"refs/heads/b": "its\nown"}, say="Because.")
    assert b"\x02Because.\n" in out
    assert b"ng refs/heads/a no\n" in out
    assert b"ng refs/heads/b its own\n" in out


def test_a_side_band_carries_any_length():
    splitter = Splitter()
    splitter.feed(pkt.sideband(1, b"x" * 200_000))
    found = b""
    while (packet := splitter.take()) is not None:
        assert isinstance(packet, bytes)
        assert packet[:1] == b"\x01"
        found += packet[1:]
    assert found == b"x" * 200_000


@given(
    st.lists(st.sampled_from([b"0000", b"0001", b"0004", b"0005x", b"0009want", b"0032", b"zz", b"fff1"]), max_size=9)
)
def test_counting_agrees_with_taking(pieces):
    """count() walks without copying; it must see the packets that take() sees, and refuse what take() refuses."""

    def seen(work):
        try:
            return work()
        except pkt.BadRequest:
            return "refused"

    def taken():
        splitter = pkt.Splitter(bytearray(b"".join(pieces)))
        return sum(1 for _ in iter(splitter.take, None)), bytes(splitter.rest)

    def counted():
        splitter = pkt.Splitter()
        return sum(map(splitter.count, pieces)), bytes(splitter.rest)

    assert seen(counted) == seen(taken)
