"""STARTTLS, and what an attacker may put behind it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def plain(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[ImapClient]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with (
        running_imap(tmp_path, tls=context, plaintext_is_secure=lambda _: False) as server,
        imap_client(server.port) as client,
    ):
        yield client


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.check_hostname = False
    return context


async def test_after_starttls_a_password_is_taken(plain: ImapClient, authority: trustme.CA) -> None:
    await plain.talk("""
        C: a CAPABILITY
        S: * CAPABILITY … STARTTLS LOGINDISABLED
        S: a OK …
        C: b STARTTLS
        S: b OK …
    """)
    await plain.start_tls(trusting(authority))
    await plain.talk("""
        C: c CAPABILITY
        S: * CAPABILITY … AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN
        S: c OK …
        C: d STARTTLS
        S: d BAD …
        C: e LOGIN u0 pw
        S: e OK …
    """)


async def test_starttls_buffering_a_command_in_the_same_segment_is_never_run(
    plain: ImapClient, authority: trustme.CA
) -> None:
    """CVE-2011-0411, CVE-2021-33515: plain text injected before the handshake."""
    await plain.send(b"a STARTTLS\r\nb NOOP\r\n")
    await plain.expect("a OK …")
    await plain.start_tls(trusting(authority))

    await plain.talk("""
        C: c NOOP
        S: c OK NOOP completed
    """)


async def test_where_it_is_not_offered_it_is_refused(stranger: ImapClient) -> None:
    await stranger.talk("C: a STARTTLS\nS: a BAD STARTTLS is not offered")
