"""The PROXY protocol's headers, octet by octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.errors import Invalid
from mailstack.net.proxy import LONGEST_REST_OCTETS, NOBODY, SIGNATURE, Origin, ProxyHeader

V4 = bytes([192, 0, 2, 1, 203, 0, 113, 9]) + (4711).to_bytes(2, "big") + (25).to_bytes(2, "big")
V6 = bytes.fromhex("20010db8000000000000000000000001" * 2) + b"\x12\x34\x00\x19"
MAPPED = bytes.fromhex("00000000000000000000ffffc0000201" * 2) + b"\x12\x34\x00\x19"
TLV = b"\x04\x00\x03abc"


def block(command: int, family: int, rest: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(rest).to_bytes(2, "big") + rest


GOOD = [
    (b"PROXY TCP4 192.0.2.1 203.0.113.9 4711 25\r\n", "192.0.2.1"),
    (b"PROXY TCP6 2001:DB8::1 2001:db8::2 65535 0\r\n", "2001:db8::1"),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 25\r\n", "192.0.2.1"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN ffff::1 whatever stands here\r\n", ""),
    (block(0x21, 0x11, V4), "192.0.2.1"),
    (block(0x21, 0x11, V4 + TLV * 3), "192.0.2.1"),
    (block(0x21, 0x21, V6), "2001:db8::1"),
    (block(0x21, 0x21, MAPPED), "192.0.2.1"),
    (block(0x20, 0x11, V4), ""),
    (block(0x20, 0x00, b""), ""),
    (block(0x21, 0x00, b"anything"), ""),
]

BAD = [
    b"EHLO mail.example.com\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 4711\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 4711 25 26\r\n",
    b"PROXY TCP4  192.0.2.1 203.0.113.9 4711 25\r\n",
    b"PROXY TCP4 192.0.2.01 203.0.113.9 4711 25\r\n",
    b"PROXY TCP4 2001:db8::1 2001:db8::2 4711 25\r\n",
    b"PROXY TCP6 192.0.2.1 203.0.113.9 4711 25\r\n",
    b"PROXY TCP6 fe80::1%eth0 fe80::2 4711 25\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 65536 25\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 04711 25\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 -1 25\r\n",
    b"PROXY UDP4 192.0.2.1 203.0.113.9 4711 25\r\n",
    b"proxy tcp4 192.0.2.1 203.0.113.9 4711 25\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 4711 25\nEHLO",
    b"PROXY TCP4 192.0.2.1 203.0.113.9 4711 25\rX\r\n",
    b"PROXY \n UNKNOWN \r\n",
    b"PROXY UNKNOWN" + b" " * 100 + b"\r\n",
    block(0x11, 0x11, V4),
    block(0x22, 0x11, V4),
    block(0x21, 0x12, V4),
    block(0x21, 0x31, bytes(216)),
    block(0x21, 0x11, V4[:-1]),
    block(0x21, 0x21, V6[:-1]),
    SIGNATURE + b"\x21\x11" + (LONGEST_REST_OCTETS + 1).to_bytes(2, "big"),
]


def read(octets: bytes, *, piece: int = 1 << 16) -> tuple[Origin, bytes]:
    """The origin, and what was not asked for."""
    header = ProxyHeader()
    while octets:
        taken = octets[: min(header.wanted, piece)]
        octets = octets[len(taken) :]
        found = header.feed(taken)
        if found is not None:
            return found, octets
    raise AssertionError("more is wanted")


@pytest.mark.parametrize(("octets", "host"), GOOD)
@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 16])
def test_the_client_is_who_the_header_names_and_what_follows_is_left(octets: bytes, host: str, piece: int) -> None:
    assert read(octets + b"\x16\x03EHLO", piece=piece) == (Origin(host), b"\x16\x03EHLO")


@pytest.mark.parametrize("octets", BAD)
def test_what_is_no_header_is_invalid(octets: bytes) -> None:
    with pytest.raises(Invalid):
        read(octets)


def test_nobody_is_named_by_the_proxy_s_own_checks() -> None:
    assert read(block(0x20, 0x11, V4))[0] is NOBODY


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: SIGNATURE + rest))
def test_any_octets_are_a_header_or_invalid_or_too_few(octets: bytes) -> None:
    try:
        read(octets)
    except (Invalid, AssertionError):
        pass
