"""Whose pictures are shown without being asked for: for whose mail that can be said, and where it is kept."""

import pytest

from mailstack.model.annotation import MAX_VALUE_OCTETS, PICTURES_FROM
from mailstack.model.ids import MessageId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.services.inbound.trace import Hop, received_field
from mailstack.services.mailbox import emails, metadata
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival
from mailstack.services.pictures.authors import author_to_trust, authors_shown, show_always, show_no_more
from tests.support.proven_mail import HOSTNAME, came

MAIL = b"From: News <News@Shop.example>\r\nSubject: x\r\n\r\nText\r\n"


async def put(mail: AccountMail, raw: bytes, *roles: MailboxRole) -> MessageId:
    mailboxes = {each.role: each.mailbox_id for each in await mail.mailboxes.list(mail.account_id)}
    arrival = Arrival(raw=raw, flags=(), received_at=Instant(0))
    return (await emails.create(mail, [mailboxes[role] for role in roles], arrival)).message_id


async def trusted(mail: AccountMail, raw: bytes, *roles: MailboxRole) -> str:
    return await author_to_trust(mail, await put(mail, raw, *roles), raw, hostname=HOSTNAME)


async def test_what_is_proven(mail: AccountMail) -> None:
    assert await trusted(mail, came(MAIL, domain="shop.example"), MailboxRole.INBOX) == "news@shop.example"
    assert await trusted(mail, came(MAIL, domain="shop.example"), MailboxRole.ARCHIVE) == "news@shop.example"


async def test_a_login_here_proves_it_too(mail: AccountMail) -> None:
    submitted = received_field(
        Hop(
            hostname=HOSTNAME,
            ehlo_domain="laptop",
            peer_host="192.0.2.9",
            protocol="ESMTPSA",
            trace_id="t1",
            received_at=Instant(1_795_000_000_000),
        ),
        recipient=None,
    )
    assert await trusted(mail, submitted + MAIL, MailboxRole.INBOX) == "news@shop.example"
    assert await trusted(mail, submitted + MAIL, MailboxRole.JUNK) == ""


@pytest.mark.parametrize(
    "raw",
    [
        MAIL,
        came(MAIL, domain="shop.example", dmarc="fail"),
        came(MAIL, domain="shop.example", dmarc="none"),
        came(MAIL, domain="shop.example", hostname="mail.else.test"),
        # What stands below our own Received came with the mail.
        came(came(MAIL, domain="shop.example"), domain="shop.example", dmarc="fail"),
        came(b"Subject: x\r\n\r\n", domain="shop.example"),
    ],
)
async def test_what_is_not(mail: AccountMail, raw: bytes) -> None:
    assert await trusted(mail, raw, MailboxRole.INBOX) == ""


async def test_not_in_junk_and_not_where_it_lies_there_too(mail: AccountMail) -> None:
    raw = came(MAIL, domain="shop.example")
    assert await trusted(mail, raw, MailboxRole.JUNK) == ""
    assert await trusted(mail, raw, MailboxRole.INBOX, MailboxRole.JUNK) == ""
    assert await author_to_trust(mail, MessageId(4711), raw, hostname=HOSTNAME) == ""


async def test_it_is_kept_where_imap_shows_it(mail: AccountMail) -> None:
    assert await authors_shown(mail) == []
    for author in ("a@x.example", "b@x.example", "a@x.example"):
        await show_always(mail, author)
    assert await authors_shown(mail) == ["b@x.example", "a@x.example"]
    _, found = await metadata.read(mail, "", metadata.Wanted(names=(PICTURES_FROM,)))
    assert found == {PICTURES_FROM: b"b@x.example\na@x.example"}
    await show_no_more(mail, "b@x.example")
    await show_no_more(mail, "c@x.example")
    assert await authors_shown(mail) == ["a@x.example"]
    await show_no_more(mail, "a@x.example")
    _, found = await metadata.read(mail, "", metadata.Wanted(names=(PICTURES_FROM,)))
    assert found == {}


async def test_the_oldest_go_where_there_is_no_room(mail: AccountMail) -> None:
    many = [f"{'x' * 50}{number}@x.example" for number in range(MAX_VALUE_OCTETS // 60)]
    await metadata.write(mail, "", [(PICTURES_FROM, "\n".join(many).encode()[:MAX_VALUE_OCTETS])])
    before = await authors_shown(mail)
    await show_always(mail, "new@x.example")
    after = await authors_shown(mail)
    assert after[-1] == "new@x.example"
    assert after[:-1] == before[len(before) - len(after) + 1 :]
    assert len(after) < len(before) + 1
