"""APPEND, small and large."""

from pathlib import Path

from mailstack.servers.imap.service import ImapLimits
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


async def test_append_tells_the_uid(client: ImapClient) -> None:
    await client.talk(
        """
        C: a APPEND INBOX (\\Seen foo) " 7-Feb-1994 21:52:25 -0800" {6}
        S: + go on
        C: A: b
        S: a OK [APPENDUID … 1] APPEND completed
    """.replace("C: A: b", "C: A: b\n        C:")
    )


async def test_a_missing_mailbox_may_be_created(client: ImapClient) -> None:
    await client.talk("""
        C: a APPEND nothing {2+}
        C: hi
        S: a NO [TRYCREATE]…
        C: b APPEND nothing (\\Seen) {50000000}
        S: b NO [TRYCREATE]…
        C: c NOOP
        S: c OK …
    """)


async def test_what_is_no_message_is_refused(client: ImapClient) -> None:
    await client.talk("""
        C: a APPEND INBOX {0+}
        C:
        S: a NO [CANNOT]…
    """)
    await client.send(b"b APPEND INBOX {3+}\r\na\0b\r\n")
    await client.expect("b NO [CANNOT]…")


async def test_bare_line_ends_become_crlf(client: ImapClient) -> None:
    await client.send(b"a APPEND INBOX {9+}\r\nA: b\n\nc\rd\r\n"[:-2] + b"\r\n")
    await client.expect("a OK …")
    await client.talk("""
        C: s EXAMINE INBOX
        S: ...
        S: s OK …
        C: b FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {4}
        S: c
        S: d)
        S: b OK …
    """)


async def test_a_large_message_comes_back_octet_for_octet(client: ImapClient) -> None:
    large = message(1) + b"".join(b"line %06d of a message that fills a file\r\n" % number for number in range(30_000))
    await client.append(large)
    await client.talk("""
        C: s EXAMINE INBOX
        S: ...
        S: s OK …
        C: b FETCH 1 (UID BODY.PEEK[] FLAGS)
    """)
    await client.expect(f"* 1 FETCH (UID 1 BODY[] {{{len(large)}}}")
    octets = b"".join([(await client.line()).encode() + b"\r\n" for _ in range(large.count(b"\r\n"))])
    assert octets == large
    await client.talk("S:  FLAGS ())\nS: b OK FETCH completed")


async def test_over_the_limit_and_over_the_quota(tmp_path: Path) -> None:
    limits = ImapLimits(message_octets=1_000)
    async with running_imap(tmp_path, limits=limits, quota_bytes=1_200) as server, imap_client(server.port) as client:
        await client.login()
        await client.talk("C: a APPEND INBOX {1001}\nS: a NO [TOOBIG] Message too large")
        await client.append(b"A: b\r\n\r\n" + b"x" * 900)
        await client.send(b"b APPEND INBOX {908+}\r\nA: b\r\n\r\n" + b"x" * 900 + b"\r\n")
        await client.expect("b NO [OVERQUOTA]…")
        await client.talk("C: c APPEND INBOX {500}\nS: c NO [OVERQUOTA]…")
