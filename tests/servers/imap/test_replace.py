"""REPLACE and UID REPLACE."""

from pathlib import Path

import pytest

from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


async def test_a_message_is_replaced_in_its_mailbox(inbox: ImapClient) -> None:
    """RFC 8508 §3.2."""
    await inbox.talk("""
        C: a REPLACE 2 INBOX (\\Seen \\Draft) {6}
        S: + go on
        C: A: c
        C:
        S: * OK [APPENDUID … 4] Replacement message ready
        S: * 2 EXPUNGE
        S: * 3 EXISTS
        S: a OK REPLACE completed
        C: b FETCH 3 (UID FLAGS)
        S: * 3 FETCH (UID 4 FLAGS (\\Draft \\Seen))
        S: b OK …
    """)


async def test_a_message_is_replaced_by_one_elsewhere(inbox: ImapClient) -> None:
    """RFC 8508 §3.4, with CATENATE as in §4.2."""
    await inbox.talk("""
        C: a UID REPLACE 3 Sent CATENATE (TEXT {11}
        S: + go on
        C: To: Mitzy
        C:  URL "/INBOX/;UID=3")
        S: * OK [APPENDUID … 1] …
        S: * 3 EXPUNGE
        S: a OK REPLACE completed
        C: b STATUS Sent (MESSAGES)
        S: * STATUS "Sent" (MESSAGES 1)
        S: b OK …
    """)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("REPLACE 4 INBOX {2+}", "BAD No message has this number"),
        ("UID REPLACE 9 INBOX {2+}", "NO [NONEXISTENT] No such message"),
        ("REPLACE 1 nothing {2+}", "NO [TRYCREATE] …"),
        ("REPLACE 1 INBOX {0+}", "NO [CANNOT] …"),
    ],
)
async def test_when_it_fails_nothing_has_happened(inbox: ImapClient, command: str, answer: str) -> None:
    await inbox.talk(f"C: a {command}")
    await inbox.send(b"" if "{0" in command else b"hi")
    await inbox.talk(f"""
        C:
        S: a {answer}
        C: b STATUS INBOX (MESSAGES UIDNEXT)
        S: * STATUS "INBOX" (MESSAGES 3 UIDNEXT 4)
        S: b OK …
    """)


async def test_only_in_the_selected_state_and_not_for_reading(client: ImapClient) -> None:
    """RFC 8508 §3.5."""
    await client.append(b"A: b\r\n\r\n")
    await client.talk("""
        C: a REPLACE 1 INBOX {2+}
        C: hi
        S: a BAD Not in this state…
        C: s EXAMINE INBOX
        S: ...
        S: s OK …
        C: b REPLACE 1 INBOX {2+}
        C: hi
        S: b NO [NOPERM] …
    """)


async def test_the_quota_is_that_of_afterwards(tmp_path: Path) -> None:
    """RFC 8508 §3.4."""
    async with running_imap(tmp_path, quota_bytes=1_000) as server, imap_client(server.port) as client:
        await client.login()
        await client.append(b"A: b\r\n\r\n" + b"x" * 900)
        await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
        await client.send(b"a REPLACE 1 INBOX {908+}\r\nA: b\r\n\r\n" + b"x" * 900 + b"\r\n")
        await client.talk("S: * OK [APPENDUID … 2] …\nS: * 1 EXPUNGE\nS: * 1 EXISTS\nS: a OK …")
        await client.send(b"b REPLACE 1 INBOX {1008+}\r\nA: b\r\n\r\n" + b"x" * 1_000 + b"\r\n")
        await client.expect("b NO [OVERQUOTA] …")
