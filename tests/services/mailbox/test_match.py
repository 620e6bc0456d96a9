"""Which messages match, by RFC 9051 §6.4.4, and how little is read to find out."""

from collections.abc import Sequence

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import AccountId, MessageId, ModSeq
from mailstack.model.instant import Instant
from mailstack.model.message import NewMessage, Placement, StoredMessage
from mailstack.model.numset import NumSet
from mailstack.model.query import (
    And,
    Contains,
    DayRange,
    Everything,
    HasKeyword,
    HeaderContains,
    InSequence,
    InstantRange,
    InUids,
    IsDeleted,
    ModSeqAtLeast,
    Not,
    Or,
    Query,
    SizeRange,
    TextField,
    TimeField,
)
from mailstack.services.mailbox.match import matching
from tests.support.memory_messages import INBOX_ID, ReadableMessages

ACCOUNT = AccountId("0123456789abcdef")
DAY = 729_349  # 21 Nov 1997

MAILS: tuple[tuple[bytes, set[str], bool, Instant], ...] = (
    # 1: seen; its sender's day is the 21st, in UTC it is the 22nd
    (
        b"From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from afar\r\n"
        b"Date: Fri, 21 Nov 1997 23:30:00 -0600\r\nX-Priority: 1\r\nX-Mailer: Own\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nVGhlIG5lZWRsZSBpcyBIRVJF\r\n",
        {"\\Seen", "Work"},
        False,
        Instant(880_000_000_000),  # 20 Nov 1997
    ),
    # 2: flagged and \Deleted, no Date
    (
        b"From: carol@example.net\r\nCc: Dave <dave@x>\r\nBcc: eve@y\r\nSubject:\r\n\r\nplain words\r\n",
        {"\\Flagged"},
        True,
        Instant(880_200_000_000),
    ),  # 22 Nov 1997
    # 3: a message inside a message
    (
        b"From: frank@z\r\nDate: Sat, 22 Nov 1997 12:00:00 +0000\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/html\r\n\r\n<p>Stra&szlig;e</p>\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: hidden subject\r\n\r\ninner text\r\n"
        b"--x\r\nContent-Type: image/png\r\n\r\nneedle in a picture\r\n--x--\r\n",
        set(),
        False,
        Instant(880_300_000_000),
    ),
)


class CountedMessages(ReadableMessages):
    def __init__(self) -> None:
        super().__init__()
        self.stored_asked = 0
        self.reads: list[int] = []
        self.damaged: set[int] = set()
        self.gone: set[int] = set()

    async def stored(self, account_id: AccountId, message_ids: Sequence[MessageId]) -> Sequence[StoredMessage]:
        self.stored_asked += len(message_ids)
        return await super().stored(account_id, message_ids)

    async def read(self, account_id: AccountId, message_id: MessageId) -> bytes:
        self.reads.append(message_id)
        if message_id in self.damaged:
            raise Damaged("the blob does not match")
        if message_id in self.gone:
            raise NotFound("expunged meanwhile")
        return await super().read(account_id, message_id)


@pytest.fixture
async def messages() -> CountedMessages:
    found = CountedMessages()
    for raw, keywords, is_deleted, received_at in MAILS:
        message = NewMessage(
            raw=raw,
            received_at=received_at,
            digest=digest_message(raw),
            keywords=frozenset(keywords),
            is_deleted=is_deleted,
        )
        await found.append(ACCOUNT, INBOX_ID, [message])
    return found


async def uids_of(query: Query, messages: ReadableMessages) -> list[int]:
    placements = await messages.placements(ACCOUNT, INBOX_ID)
    return [found.uid for found in await matching(query, placements, messages=messages, account_id=ACCOUNT)]


def text(field: TextField, needle: str) -> Contains:
    return Contains(field, needle)


def sent(first: int | None, last: int | None) -> DayRange:
    return DayRange(TimeField.SENT, first, last)


F = TextField


@pytest.mark.parametrize(
    ("query", "uids"),
    [
        (Everything(), [1, 2, 3]),
        (HasKeyword("\\seen"), [1]),
        (HasKeyword("WORK"), [1]),
        (HasKeyword("wor"), []),
        (Not(HasKeyword("\\Seen")), [2, 3]),
        (IsDeleted(), [2]),
        (HasKeyword("\\Deleted"), [2]),
        (InUids(NumSet(((2, 3),))), [2, 3]),
        (ModSeqAtLeast(ModSeq(2)), [2, 3]),
        (And(()), [1, 2, 3]),
        (Or(()), []),
        (And((HasKeyword("\\Seen"), IsDeleted())), []),
        (Or((HasKeyword("\\Seen"), IsDeleted())), [1, 2]),
        (text(F.SUBJECT, "grüSSE"), [1]),
        (text(F.SUBJECT, "FROM AFAR"), [1]),
        (text(F.SUBJECT, ""), [1, 2]),  # those that have the field
        (text(F.FROM, "alice <ALICE@"), [1]),
        (text(F.TO, "bob"), [1]),
        (text(F.CC, "Dave"), [2]),
        (text(F.CC, ""), [2]),
        (text(F.BCC, "EVE"), [2]),
        (text(F.BODY, "the NEEDLE is here"), [1]),
        (text(F.BODY, "strasse"), [3]),
        (text(F.BODY, "hidden subject"), [3]),  # headers of an embedded message are body
        (text(F.BODY, "alice"), []),
        (text(F.BODY, ""), [1, 2, 3]),
        (text(F.TEXT, "alice"), [1]),
        (text(F.TEXT, "inner TEXT"), [3]),
        (text(F.TEXT, "x-mailer: own"), [1]),
        (HeaderContains("X-PRIORITY", "1"), [1]),
        (HeaderContains("X-Priority", ""), [1]),
        (HeaderContains("X-Mailer", "OWN"), [1]),
        (HeaderContains("X-Mailer", ""), [1]),
        (HeaderContains("Subject", "grüße"), [1]),
        (HeaderContains("\u00fc", ""), []),
        (sent(DAY, DAY + 1), [1]),  # the day as written, not 22 Nov in UTC
        (sent(DAY + 1, None), [3]),
        (sent(None, DAY + 1), [1]),
        (sent(DAY - 100, DAY + 100), [1, 3]),
        (sent(DAY + 50, None), []),
        (Not(sent(None, None)), [2]),  # no Date, no day
        (DayRange(TimeField.RECEIVED, DAY, None), [2, 3]),
        (DayRange(TimeField.RECEIVED, None, DAY), [1]),
        (InstantRange(TimeField.RECEIVED, Instant(880_200_000_000), Instant(880_300_000_000)), [2]),
        (InstantRange(TimeField.SENT, Instant(880_200_000_000), None), [3]),
        (SizeRange(None, len(MAILS[1][0]) + 1), [2]),
        (SizeRange(len(MAILS[1][0]), None), [1, 3]),
        (And((text(F.BODY, "words"), Not(HasKeyword("\\Seen")))), [2]),
        (Or((text(F.BODY, "words"), HasKeyword("\\Seen"))), [1, 2]),
        (Not(Or((text(F.BODY, "words"), text(F.SUBJECT, "afar")))), [3]),
    ],
)
async def test_matches(messages: CountedMessages, query: Query, uids: list[int]) -> None:
    assert await uids_of(query, messages) == uids


@pytest.mark.parametrize(
    ("query", "stored_asked", "reads"),
    [
        (HasKeyword("\\Seen"), 0, []),
        (InUids(NumSet(((1, 2),))), 0, []),
        (text(F.SUBJECT, "x"), 3, []),
        (HeaderContains("List-Id", "x"), 3, []),
        (And((text(F.BODY, "x"), HasKeyword("\\Seen"))), 1, [1]),
        (And((text(F.BODY, "x"), HasKeyword("\\Seen"), text(F.SUBJECT, "nowhere"))), 1, []),
        (Or((text(F.BODY, "x"), text(F.SUBJECT, "afar"))), 3, [2, 3]),
        (Or((text(F.BODY, "x"), Not(IsDeleted()))), 1, [2]),
    ],
)
async def test_only_what_is_needed_is_read(
    messages: CountedMessages, query: Query, stored_asked: int, reads: list[int]
) -> None:
    await uids_of(query, messages)
    assert (messages.stored_asked, messages.reads) == (stored_asked, reads)


async def test_message_numbers_are_the_sessions_own(messages: CountedMessages) -> None:
    with pytest.raises(ValueError, match="rewritten"):
        await uids_of(Not(InSequence(NumSet(((1, 1),)))), messages)


async def test_messages_that_are_gone_or_damaged_do_not_match(messages: CountedMessages) -> None:
    placements = await messages.placements(ACCOUNT, INBOX_ID)
    gone = Placement(placements[0].uid, MessageId(99), placements[0].mod_seq, False, "")
    messages.damaged = {3}
    found = await matching(text(F.BODY, ""), [gone, *placements[1:]], messages=messages, account_id=ACCOUNT)
    assert [placement.uid for placement in found] == [2]


async def test_a_message_that_goes_while_it_is_looked_at_does_not_match(messages: CountedMessages) -> None:
    messages.gone = {1, 2, 3}
    assert await uids_of(text(F.BODY, ""), messages) == []


async def test_long_mailboxes_are_judged_in_order(messages: CountedMessages) -> None:
    placements = list(await messages.placements(ACCOUNT, INBOX_ID)) * 300
    numbered = [one._replace(uid=type(one.uid)(at)) for at, one in enumerate(placements, start=1)]
    found = await matching(text(F.SUBJECT, "afar"), numbered, messages=messages, account_id=ACCOUNT)
    assert [one.uid for one in found] == list(range(1, 901, 3))


async def test_a_large_message_is_searched_beside_the_loop(messages: CountedMessages) -> None:
    raw = b"Subject: large\r\n\r\n" + b"hay\r\n" * 100_000 + b"NEEDLE\r\n"
    large = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
    (appended,) = await messages.append(ACCOUNT, INBOX_ID, [large])
    assert appended.uid in await uids_of(text(F.BODY, "needle"), messages)
    assert appended.uid not in await uids_of(text(F.BODY, "pin"), messages)
