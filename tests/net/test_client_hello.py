"""ClientHellos as Python's own TLS writes them, whole, cut and disturbed."""

import random
import ssl

import pytest

from mailstack.net.client_hello import offered_protocols

RECORD_HEADER_OCTETS = 5


def client_hello(*protocols: str, name: str = "mail.example.com", tls_1_2: bool = False) -> bytes:
    context = ssl.create_default_context()
    if protocols:
        context.set_alpn_protocols(protocols)
    if tls_1_2:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return to_server.read()[RECORD_HEADER_OCTETS:]


@pytest.mark.parametrize("tls_1_2", [False, True])
@pytest.mark.parametrize("protocols", [(), ("acme-tls/1",), ("h2", "http/1.1"), ("x" * 255, "acme-tls/1")])
def test_protocols_are_read_in_their_order(protocols: tuple[str, ...], tls_1_2: bool) -> None:
    hello = client_hello(*protocols, tls_1_2=tls_1_2)
    assert offered_protocols(hello) == tuple(protocol.encode() for protocol in protocols)


def test_a_message_that_was_cut_offers_nothing_or_what_it_says() -> None:
    hello = client_hello("acme-tls/1")
    for end in range(len(hello)):
        assert offered_protocols(hello[:end]) == ()


@pytest.mark.parametrize("message", [b"", b"\1", b"\2" + bytes(100), b"\1" + bytes(3), b"\1" + b"\xff" * 200])
def test_what_is_no_client_hello_offers_nothing(message: bytes) -> None:
    assert offered_protocols(message) == ()


def test_a_disturbed_message_is_survived() -> None:
    chance, hello = random.Random(1), client_hello("acme-tls/1", "http/1.1")
    for _ in range(5_000):
        disturbed = bytearray(hello)
        for _ in range(chance.randint(1, 4)):
            disturbed[chance.randrange(len(disturbed))] = chance.randrange(256)
        assert all(isinstance(name, bytes) for name in offered_protocols(bytes(disturbed)))
