"""GETJMAPACCESS: offered where there is JMAP. RFC 9698."""

from pathlib import Path

from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


async def test_the_session_resource_is_named(tmp_path: Path) -> None:
    async with (
        running_imap(tmp_path, jmap_url="https://mail.peer.test/jmap") as server,
        imap_client(server.port) as client,
    ):
        await client.talk("""
            C: a LOGIN u0 pw
            S: a OK [CAPABILITY …JMAPACCESS…] Logged in
            C: b GETJMAPACCESS
            S: * JMAPACCESS "https://mail.peer.test/jmap"
            S: b OK GETJMAPACCESS completed
        """)


async def test_without_jmap_it_is_not_offered(client: ImapClient) -> None:
    await client.talk("C: a GETJMAPACCESS\nS: a BAD …")
