"""THREAD as dialogues. RFC 5256 §3, §4."""

import pytest

from tests.support.imap_dialogue import ImapClient


def mail(name: str, subject: str, *, references: str = "", day: int = 1) -> bytes:
    lines = (
        f"Message-ID: <{name}@x>",
        f"Subject: {subject}",
        *((f"References: {references}",) if references else ()),
        f"Date: {day} Feb 2026 10:00:00 +0000",
        "",
        f"text of {name}",
        "",
    )
    return "\r\n".join(lines).encode()


@pytest.fixture
async def talk(client: ImapClient) -> ImapClient:
    for octets in (
        mail("a", "tea", day=1),
        mail("b", "Re: tea", references="<a@x>", day=2),
        mail("c", "Re: tea", references="<a@x> <b@x>", day=3),
        mail("d", "Re: tea", references="<a@x>", day=4),
        mail("e", "coffee", day=5),
        mail("f", "Fwd: coffee", day=6),
        mail("g", "milk", references="<lost@x>", day=7),
        mail("h", "cream", references="<lost@x>", day=8),
    ):
        await client.append(octets, mailbox="Archive")
    await client.talk("""
        C: s SELECT Archive
        S: ...
        S: s OK …
    """)
    return client


async def test_references(talk: ImapClient) -> None:
    await talk.talk(r"""
        C: a THREAD REFERENCES UTF-8 ALL
        S: * THREAD (1 (2 3)(4))(5 6)((7)(8))
        S: a OK THREAD completed
        C: b UID THREAD REFERENCES US-ASCII 2:4
        S: * THREAD ((2 3)(4))
        S: b OK …
    """)


async def test_ordered_subject(talk: ImapClient) -> None:
    await talk.talk(r"""
        C: a THREAD ORDEREDSUBJECT UTF-8 ALL
        S: * THREAD (1 (2)(3)(4))(5 6)(7)(8)
        S: a OK THREAD completed
        C: A284 THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"
        S: * THREAD
        S: A284 OK THREAD completed
    """)


async def test_what_cannot_be_threaded(talk: ImapClient) -> None:
    await talk.talk(r"""
        C: a THREAD REFS UTF-8 ALL
        S: a BAD …
        C: b THREAD REFERENCES KOI8-R ALL
        S: b NO [BADCHARSET (US-ASCII UTF-8)] …
        C: c UNSELECT
        S: c OK …
        C: d THREAD REFERENCES UTF-8 ALL
        S: d BAD …
    """)
