"""The indexed search finds what reading every message would find."""

import base64
import quopri
import random

import pytest

from mailstack.formats.digest import digest_message
from mailstack.formats.words import encode_words
from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.message import NewMessage
from mailstack.model.numset import NumSet
from mailstack.model.query import (
    And,
    Contains,
    DayRange,
    Everything,
    Fuzzy,
    HasKeyword,
    HeaderContains,
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
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.match import matching
from mailstack.services.mailbox.relevancy import relevancy
from mailstack.services.mailbox.search import search_mailbox

WORDS = (
    "alpha",
    "alphabet",
    "beta",
    "Straße",
    "STRASSE",
    "naïve",
    "nai\u0308ve",
    "co\u00adoperate",
    "foo_bar",
    "foo-bar",
    "x",
    "xfoox",
    "会议室",
    "会议",
    "東京タワー",
    "ภาษาไทย",
    "हिन्दी",
    "عربى",
    "ﬁne",
    "I\u0307stanbul",
    "ΣΊΣΥΦΟΣ",
    "@",
    "--",
    "a@b.example",
    "100€",
    "😀",
    "w" * 150,
)
FIELDS = ("Subject", "From", "To", "Cc", "Bcc", "X-Thing", "Comments", "Subject")
NEEDLES = (
    "",
    "a",
    "x",
    "alph",
    "lpha",
    "foo",
    "o_b",
    "strasse",
    "会",
    "议室",
    "会议室",
    "京タ",
    "ไทย",
    "दी",
    "-",
    "ne ",
    ": ",
    "=",
)


def text(chance: random.Random, most: int = 6) -> str:
    return chance.choice((" ", ", ", "\u3000", "; ")).join(chance.choices(WORDS, k=chance.randint(0, most)))


def address(chance: random.Random) -> bytes:
    name = encode_words(text(chance, 2)) if chance.random() < 0.6 else b'"' + text(chance, 2).encode() + b'"'
    return name + b" <" + chance.choice((b"alpha", b"x.beta", b"foo")) + b"@b.example>"


def header(chance: random.Random) -> bytes:
    lines = []
    for name in chance.sample(FIELDS, k=chance.randint(1, len(FIELDS))):
        if name in ("From", "To", "Cc", "Bcc"):
            value = b", ".join(address(chance) for _ in range(chance.randint(0, 2)))
        elif chance.random() < 0.5:
            value = encode_words(text(chance))
        else:
            value = text(chance).encode(chance.choice(("utf-8", "cp1252")), "replace")
        lines.append(name.encode() + b": " + value + b"\r\n")
    return b"".join(lines)


def part(chance: random.Random, depth: int = 0) -> bytes:
    kind = chance.randrange(6 if depth < 2 else 4)
    body = "\r\n".join(text(chance) for _ in range(chance.randint(1, 4)))
    charset = chance.choice(("utf-8", "utf-8", "iso-8859-1"))
    octets = body.encode(charset, "replace")
    disposition = chance.choice((b"", b"Content-Disposition: attachment\r\n"))
    if kind == 0:
        return b"Content-Type: text/plain; charset=%b\r\n%b\r\n%b\r\n" % (charset.encode(), disposition, octets)
    if kind == 1:
        encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
        head = b"Content-Type: text/plain; charset=%b\r\nContent-Transfer-Encoding: base64\r\n" % charset.encode()
        return head + disposition + b"\r\n" + encoded
    if kind == 2:
        encoded = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        head = b"Content-Type: text/plain; charset=%b\r\n" % charset.encode()
        return head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded
    if kind == 3:
        words = "</p><p>".join(word.replace("ß", "&szlig;") for word in body.split("\r\n"))
        return (
            b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>"
            + words.encode()
            + b"<b>bo</b>ld<style>beta</style>\r\n"
        )
    if kind == 4:
        return b"Content-Type: message/rfc822\r\n\r\n" + header(chance) + part(chance, depth + 1)
    boundary = b"=_%d" % chance.randrange(10**9)
    parts = b"".join(
        b"--" + boundary + b"\r\n" + part(chance, depth + 1) + b"\r\n" for _ in range(chance.randint(1, 3))
    )
    return b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n' + parts + b"--" + boundary + b"--\r\n"


def needle(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return chance.choice(NEEDLES)
    whole = text(chance, 3)
    start = chance.randint(0, max(len(whole) - 1, 0))
    return whole[start : start + chance.randint(1, 12)]


def query(chance: random.Random, depth: int = 0) -> Query:
    kind = chance.randrange(16 if depth < 3 else 12)
    if kind < 5:
        looked_for = needle(chance)
        is_phrase = len(looked_for.split()) > 1 and chance.random() < 0.5
        return Contains(chance.choice(list(TextField)), looked_for.strip() if is_phrase else looked_for, is_phrase)
    if kind < 7:
        return HeaderContains(chance.choice(("subject", "X-Thing", "comments", "bcc", "absent")), needle(chance))
    simple: tuple[Query, ...] = (
        HasKeyword(chance.choice(("\\seen", "\\Flagged", "work", "\\Deleted"))),
        IsDeleted(),
        SizeRange(chance.choice((None, 300)), chance.choice((None, 900))),
        InstantRange(TimeField.RECEIVED, Instant(chance.randrange(60) * DAY_MS), None),
        DayRange(chance.choice((TimeField.RECEIVED, TimeField.SENT)), None, 719_163 + chance.randrange(60)),
        InUids(NumSet(((5, 20), (31, 33)))),
        ModSeqAtLeast(ModSeq(chance.randrange(40))),
        Everything(),
    )
    if kind < 12:
        return chance.choice(simple)
    if kind < 14:
        return Not(query(chance, depth + 1))
    terms = tuple(query(chance, depth + 1) for _ in range(chance.randint(0, 3)))
    return And(terms) if kind == 14 else Or(terms)


@pytest.fixture
async def inbox(mail: AccountMail) -> Mailbox:
    (found,) = [one for one in await mail.mailboxes.list(mail.account_id) if one.role is MailboxRole.INBOX]
    return found


async def fill(mail: AccountMail, mailbox_id: MailboxId, chance: random.Random, count: int) -> None:
    for at in range(count):
        date = b"Date: %d Jan 1970 %02d:30:00 %+05d\r\n" % (1 + at % 31, at % 24, chance.choice((-1100, 0, 1300)))
        raw = (date if chance.random() < 0.8 else b"") + header(chance) + part(chance)
        keywords = frozenset(chance.sample(("\\Seen", "\\Flagged", "Work"), k=chance.randint(0, 3)))
        message = NewMessage(
            raw=raw,
            received_at=Instant(at * DAY_MS + chance.randrange(DAY_MS)),
            digest=digest_message(raw),
            keywords=keywords,
            is_deleted=chance.random() < 0.2,
        )
        await mail.messages.append(mail.account_id, mailbox_id, [message])


async def read_through(mail: AccountMail, mailbox: Mailbox, asked: Query) -> list[int]:
    placements = await mail.messages.placements(mail.account_id, mailbox.mailbox_id)
    found = await matching(asked, placements, messages=mail.messages, account_id=mail.account_id)
    return [placement.uid for placement in found]


@pytest.mark.parametrize("seed", range(4))
async def test_any_query_finds_what_reading_every_message_finds(mail: AccountMail, inbox: Mailbox, seed: int) -> None:
    chance = random.Random(seed)
    await fill(mail, inbox.mailbox_id, chance, 60)
    for _ in range(150):
        asked = query(chance)
        assert list(await search_mailbox(mail, inbox, asked)) == await read_through(mail, inbox, asked), asked


async def test_each_needle_in_each_field_is_found_where_it_stands(mail: AccountMail, inbox: Mailbox) -> None:
    await fill(mail, inbox.mailbox_id, random.Random(7), 40)
    for text_field in TextField:
        for asked_for in (*WORDS, *NEEDLES):
            asked = Contains(text_field, asked_for)
            assert list(await search_mailbox(mail, inbox, asked)) == await read_through(mail, inbox, asked), asked


async def test_a_phrase_goes_on_in_the_next_line(mail: AccountMail, inbox: Mailbox) -> None:
    for body in (b"we meet\r\n for dinner", b"we meet for dinner", b"for dinner we meet", b"meetfor"):
        raw = b"Subject: " + body.replace(b"\r\n", b"\r\n ") + b"\r\n\r\n" + body + b"\r\n"
        message = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
        await mail.messages.append(mail.account_id, inbox.mailbox_id, [message])
    for field in (TextField.BODY, TextField.TEXT, TextField.SUBJECT):
        asked = Contains(field, "MEET for", is_phrase=True)
        assert list(await search_mailbox(mail, inbox, asked)) == [1, 2]
        assert await read_through(mail, inbox, asked) == [1, 2]
    assert list(await search_mailbox(mail, inbox, Contains(TextField.BODY, "meet for"))) == [2]


async def test_a_fuzzy_text_finds_beginnings_of_words_in_any_order(mail: AccountMail, inbox: Mailbox) -> None:
    for subject in (b"quarterly sales report", b"the report of quarters", b"reporting"):
        raw = b"Subject: " + subject + b"\r\n\r\n"
        message = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
        await mail.messages.append(mail.account_id, inbox.mailbox_id, [message])
    asked = Contains(TextField.SUBJECT, "report quarter")
    assert list(await search_mailbox(mail, inbox, Fuzzy(asked))) == [1, 2]
    assert list(await search_mailbox(mail, inbox, asked)) == []


@pytest.mark.parametrize("needle", ["cafe", "café", "CAFE\u0301", "cafè uber", "Übergabe cafe", "ДЙ"])
async def test_a_fuzzy_text_is_found_whatever_its_accents(mail: AccountMail, inbox: Mailbox, needle: str) -> None:
    for subject in ("Café Übergabe ди", "cafe ubergabe дй", "caffè"):
        raw = b"Subject: " + subject.encode() + b"\r\n\r\n"
        message = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
        await mail.messages.append(mail.account_id, inbox.mailbox_id, [message])
    assert list(await search_mailbox(mail, inbox, Fuzzy(Contains(TextField.SUBJECT, needle)))) == [1, 2]


async def test_what_stands_in_the_subject_fits_best(mail: AccountMail, inbox: Mailbox) -> None:
    for raw in (b"Subject: other\r\n\r\na report", b"Subject: reports\r\n\r\n", b"From: report@x.example\r\n\r\n"):
        message = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
        await mail.messages.append(mail.account_id, inbox.mailbox_id, [message])
    asked = Fuzzy(Contains(TextField.TEXT, "report"))
    found = await search_mailbox(mail, inbox, asked)
    assert await relevancy(mail, inbox.mailbox_id, asked, found) == {1: 60, 2: 100, 3: 80}
    assert await relevancy(mail, inbox.mailbox_id, Everything(), found) == {1: 100, 2: 100, 3: 100}
