"""tls-server-end-point: which hash, and of which connection it is told. RFC 5929 §4."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from mailstack.net.end_point import end_point_of
from mailstack.net.tls import Identity, choice_of, live_context

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def certificate(key: Key, algorithm: hashes.SHA256 | hashes.SHA384 | None, name: str = "mail.example.com") -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, algorithm)
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def identity(name: str) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Identity(names=(name,), chain=certificate(key, hashes.SHA256(), name), key=pem)


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384()])
def test_the_hash_is_that_of_the_signature(algorithm: hashes.SHA256 | hashes.SHA384) -> None:
    chain = certificate(ec.generate_private_key(ec.SECP384R1()), algorithm)
    assert end_point_of(chain) == hashlib.new(algorithm.name, ssl.PEM_cert_to_DER_cert(chain)).digest()


def test_a_signature_without_a_hash_of_its_own_leaves_nothing_to_bind_to() -> None:
    assert end_point_of(certificate(ed25519.Ed25519PrivateKey.generate(), None)) is None


ONE, TWO, LATER = (identity(name) for name in ("one.example", "two.example", "one.example"))


def expected(wanted: Identity) -> bytes:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(wanted.chain)).digest()


class Served:
    """What the server finds of each of its connections."""

    def __init__(self) -> None:
        self.choice = choice_of((ONE, TWO))
        self.port = 0
        self.found: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        self.found.put_nowait(self.choice.end_point(tls))
        writer.write(b"ok\n")
        writer.close()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    world = Served()
    context = live_context(lambda: world.choice)
    server = await asyncio.start_server(world.serve, "127.0.0.1", 0, ssl=context)
    world.port = server.sockets[0].getsockname()[1]
    yield world
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def connected(world: Served, name: str) -> AsyncIterator[tuple[asyncio.StreamWriter, asyncio.StreamReader]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=context, server_hostname=name)
    try:
        yield writer, reader
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


@pytest.mark.parametrize(("name", "shown"), [("one.example", ONE), ("two.example", TWO), ("other.example", ONE)])
async def test_it_is_that_of_the_certificate_that_the_client_saw(served: Served, name: str, shown: Identity) -> None:
    async with connected(served, name) as (writer, reader):
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        seen = tls.getpeercert(binary_form=True)
        assert seen is not None
        writer.write(b"go\n")
        await reader.readline()
        assert await served.found.get() == expected(shown) == hashlib.sha256(seen).digest()


async def test_a_connection_from_before_a_certificate_was_replaced_is_told_nothing_wrong(served: Served) -> None:
    async with connected(served, "one.example") as (writer, reader):
        served.choice = choice_of((LATER, TWO), before=served.choice)
        writer.write(b"go\n")
        await reader.readline()
        assert await served.found.get() is None


def test_a_resumed_session_is_bound_to_nothing() -> None:
    """The client saw no certificate in it, and the one that it remembers may be another by now."""
    choice = choice_of((ONE,))
    front = live_context(lambda: choice)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # where a session is at hand right after the handshake
    session = None
    found = []
    for _ in range(2):
        ends = shaken_hands(front, client, session)
        session = ends[1].session
        found.append((ends[0].session_reused, choice.end_point(ends[0])))
    assert found == [(False, expected(ONE)), (True, None)]


def shaken_hands(
    front: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = front.wrap_bio(to_server, to_client, server_side=True)
    asker = client.wrap_bio(to_client, to_server, server_hostname="one.example", session=session)
    for _ in range(4):
        for end in (asker, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return server, asker
