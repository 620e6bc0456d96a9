"""What messages say where they match."""

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.ids import MessageId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import NewMessage
from mailstack.model.query import And, Contains, Everything, Fuzzy, HasKeyword, Not, Or, Query, TextField
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.snippets import Snippet, snippets

RAW = (
    b"Subject: =?utf-8?q?Caf=C3=A9?= & dinner\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nWe meet\r\nfor dinner.\r\n"
    b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>the <b>menu</b> is 5 &lt; 6<style>beta</style>\r\n"
    b"--x--\r\n"
)


@pytest.fixture
async def message_id(mail: AccountMail) -> MessageId:
    (inbox,) = [one for one in await mail.mailboxes.list(mail.account_id) if one.role is MailboxRole.INBOX]
    message = NewMessage(raw=RAW, received_at=Instant(0), digest=digest_message(RAW))
    (appended,) = await mail.messages.append(mail.account_id, inbox.mailbox_id, [message])
    return appended.message_id


@pytest.mark.parametrize(
    ("query", "subject", "preview"),
    [
        (
            Contains(TextField.TEXT, "DINNER"),
            "Café &amp; <mark>dinner</mark>",
            "We meet for <mark>dinner</mark>.",
        ),
        (Contains(TextField.SUBJECT, "dinner"), "Café &amp; <mark>dinner</mark>", None),
        (Contains(TextField.BODY, "dinner"), None, "We meet for <mark>dinner</mark>."),
        (Contains(TextField.BODY, "menu"), None, "the <mark>menu</mark> is 5 &lt; 6"),
        (Contains(TextField.BODY, "beta"), None, None),
        (Contains(TextField.FROM, "dinner"), None, None),
        (Not(Contains(TextField.TEXT, "dinner")), None, None),
        (HasKeyword("x"), None, None),
        (Everything(), None, None),
        (
            And((Contains(TextField.SUBJECT, "café"), Or((Fuzzy(Contains(TextField.BODY, "meet")), HasKeyword("x"))))),
            "<mark>Café</mark> &amp; dinner",
            "We <mark>meet</mark> for dinner.",
        ),
    ],
)
async def test_snippets(
    mail: AccountMail, message_id: MessageId, query: Query, subject: str | None, preview: str | None
) -> None:
    found = await snippets(mail, query, [message_id, MessageId(99)])
    assert found == {message_id: Snippet(subject=subject, preview=preview)}
