"""The same connections over TLS: what is negotiated, what is added, and how they end."""

import ssl
from dataclasses import dataclass

import pytest
import trustme

from mailstack.net.tls import Identity, choice_of, live_context, server_context
from mailstack.net.tls_proofs import ACME_TLS, TlsProofs
from tests.support.http_world import HttpWorld, serving
from tests.support.running import until

NAME = "mail.example.com"
ASKED = b"GET /told HTTP/1.1\r\nHost: mail.example.com\r\n\r\n"


@dataclass(frozen=True, slots=True)
class House:
    front: ssl.SSLContext
    authority: trustme.CA

    def client(self, *protocols: str) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if protocols:
            context.set_alpn_protocols(protocols)
        return context


@pytest.fixture(scope="module")
def house() -> House:
    authority, proofs = trustme.CA(), TlsProofs()
    choice = choice_of((identity(authority),), protocols=("http/1.1",))
    front = live_context(lambda: choice, proofs=proofs)
    proofs.show({NAME: server_context(identity(authority), protocols=(ACME_TLS,))})
    return House(front, authority)


def identity(authority: trustme.CA) -> Identity:
    issued = authority.issue_cert(NAME)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems).decode()
    return Identity(names=(NAME,), chain=chain, key=issued.private_key_pem.bytes().decode())


@pytest.mark.parametrize("protocols", [(), ("http/1.1",), ("h2", "http/1.1"), ("h2",)])
async def test_http_1_1_is_spoken_whatever_a_client_offers(house: House, protocols: tuple[str, ...]) -> None:
    async with serving(HttpWorld(), tls=house.front) as world:
        client = await world.connect(tls=house.client(*protocols), name=NAME)
        reply = await client.ask(ASKED)
        assert reply.status == 200
        # RFC 6797 §7.1, for this host alone.
        assert reply.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_refusal_arrives_though_more_was_sent_than_is_read(house: House) -> None:
    async with serving(HttpWorld(), tls=house.front) as world:
        world.limit(linger_s=0.3)
        client = await world.connect(tls=house.client(), name=NAME)
        reply = await client.ask(ASKED.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 300_000))
        assert (reply.status, reply.headers["connection"]) == (431, "close")
        await client.expect_end()


async def test_who_came_for_a_proof_is_let_go_without_a_word(house: House) -> None:
    async with serving(HttpWorld(), tls=house.front) as world:
        client = await world.connect(tls=house.client(ACME_TLS), name=NAME)
        await client.send(ASKED)
        await client.expect_end()
        assert len(world.connections) == 0


async def test_plain_text_on_the_port_of_tls_is_no_request(house: House) -> None:
    async with serving(HttpWorld(), tls=house.front) as world:
        client = await world.connect()
        await client.send(ASKED)
        await client.expect_end()

        async def is_empty() -> bool:
            return len(world.connections) == 0

        await until(is_empty)
        assert (await (await world.connect(tls=house.client(), name=NAME)).ask(ASKED)).status == 200
