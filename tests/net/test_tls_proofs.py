"""tls-alpn-01 beside ordinary handshakes, by handshakes in memory. RFC 8737 §3."""

import ssl
from dataclasses import dataclass

import pytest
import trustme

from mailstack.net.tls import Identity, choice_of, live_context, server_context
from mailstack.net.tls_proofs import ACME_TLS, TlsProofs

NAME = "mail.example.com"


@dataclass(frozen=True, slots=True)
class Seen:
    """names: of the certificate that the client got."""

    names: set[str]
    protocol: str | None


class House:
    """A listener's context with one certificate, and proofs that are shown on demand."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.proofs = TlsProofs()
        choice = choice_of((self.identity(NAME, "other.example.com"),), protocols=("http/1.1",))
        self.front = live_context(lambda: choice, proofs=self.proofs)

    def identity(self, *names: str) -> Identity:
        issued = self.authority.issue_cert(*names)
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems).decode()
        return Identity(names=names, chain=chain, key=issued.private_key_pem.bytes().decode())

    def show(self, *names: str) -> None:
        self.proofs.show(
            {name: server_context(self.identity(f"proof.{name}"), protocols=(ACME_TLS,)) for name in names}
        )

    def sees(self, server_name: str | None, *protocols: str) -> Seen:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        context.check_hostname = False
        if protocols:
            context.set_alpn_protocols(protocols)
        handshake = Handshake(context, self.front, server_name)
        handshake.finish()
        return handshake.seen()


class Handshake:
    def __init__(self, context: ssl.SSLContext, front: ssl.SSLContext, server_name: str | None) -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = context.wrap_bio(to_client, to_server, server_hostname=server_name)
        self.server = front.wrap_bio(to_server, to_client, server_side=True)

    def finish(self) -> None:
        for _ in range(4):
            for side in (self.client, self.server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue

    def seen(self) -> Seen:
        certificate = self.client.getpeercert()
        assert certificate is not None
        alternatives = certificate["subjectAltName"]
        assert isinstance(alternatives, tuple)
        return Seen({str(alternative[1]) for alternative in alternatives}, self.client.selected_alpn_protocol())


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def test_who_asks_for_the_proof_gets_it_and_nobody_else(house: House) -> None:
    ordinary = {NAME, "other.example.com"}
    house.show(NAME)
    assert house.sees(NAME, ACME_TLS) == Seen({f"proof.{NAME}"}, ACME_TLS)
    assert house.sees(NAME.upper(), ACME_TLS) == Seen({f"proof.{NAME}"}, ACME_TLS)
    assert house.sees(NAME, "http/1.1") == Seen(ordinary, "http/1.1")
    assert house.sees(NAME, "h2", "http/1.1") == Seen(ordinary, "http/1.1")
    assert house.sees(NAME) == Seen(ordinary, None)
    assert house.sees("other.example.com", ACME_TLS) == Seen(ordinary, None)
    assert house.sees(None, ACME_TLS) == Seen(ordinary, None)


def test_nothing_watches_handshakes_while_there_is_no_proof(house: House) -> None:
    house.show(NAME)
    assert house.front._msg_callback is not None  # type: ignore[attr-defined]  # has a private name
    house.show()
    assert house.front._msg_callback is None  # type: ignore[attr-defined]
    assert house.sees(NAME, ACME_TLS) == Seen({NAME, "other.example.com"}, None)


def test_a_handshake_that_began_before_the_proof_gets_the_ordinary_certificate(house: House) -> None:
    house.show()
    context = ssl.create_default_context()
    house.authority.configure_trust(context)
    context.check_hostname = False
    context.set_alpn_protocols([ACME_TLS])
    handshake = Handshake(context, house.front, NAME)
    house.show(NAME)
    handshake.finish()
    assert handshake.seen() == Seen({NAME, "other.example.com"}, None)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_client_hello_in_small_pieces_is_read_as_a_whole(house: House, size: int) -> None:
    house.show(NAME)
    context = ssl.create_default_context()
    house.authority.configure_trust(context)
    context.check_hostname = False
    context.set_alpn_protocols([ACME_TLS])
    hello, pieces, to_client = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, hello, server_hostname=NAME)
    server = house.front.wrap_bio(pieces, to_client, server_side=True)
    for _ in range(3):
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        data = hello.read()
        for at in range(0, len(data), size):
            pieces.write(data[at : at + size])
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = client.getpeercert()
    assert certificate is not None
    assert certificate["subjectAltName"] == (("DNS", f"proof.{NAME}"),)


def test_a_tls_1_2_client_is_served_alike(house: House) -> None:
    house.show(NAME)
    context = ssl.create_default_context()
    house.authority.configure_trust(context)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ACME_TLS])
    handshake = Handshake(context, house.front, NAME)
    handshake.finish()
    assert handshake.seen() == Seen({f"proof.{NAME}"}, ACME_TLS)
