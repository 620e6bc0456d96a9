"""URLs of messages. RFC 5092 §7, §11; RFC 4469's examples."""

import pytest

from mailstack.model.ids import Uid
from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.url import WHOLE_REST, ImapUrl, parse_url

WHOLE = Section()


def named(
    mailbox: str | None,
    uid: int,
    *,
    uid_validity: int | None = None,
    section: Section = WHOLE,
    partial: Partial | None = None,
) -> ImapUrl:
    return ImapUrl(mailbox=mailbox, uid_validity=uid_validity, uid=Uid(uid), section=section, partial=partial)


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        (
            "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER",
            named("Drafts", 20, uid_validity=385759045, section=Section(text=SectionText.HEADER)),
        ),
        (
            "/Drafts;UIDVALIDITY=385759045/;UID=20/;Section=2.MIME",
            named("Drafts", 20, uid_validity=385759045, section=Section(part=(2,), text=SectionText.MIME)),
        ),
        ("/INBOX;UIDVALIDITY=785799047/;UID=11467", named("INBOX", 11467, uid_validity=785799047)),
        ("/Drafts/;UID=3002", named("Drafts", 3002)),
        ("/a/b%20c/;uid=1", named("a/b c", 1)),
        ("/%E5%8F%B0/;UID=1", named("台", 1)),
        (";UID=20/;SECTION=1.2", named(None, 20, section=Section(part=(1, 2)))),
        ("/;UID=20", named(None, 20)),
        ("/a/;UID=1/;PARTIAL=5.10", named("a", 1, partial=Partial(offset=5, count=10))),
        ("/a/;UID=1/;PARTIAL=5", named("a", 1, partial=Partial(offset=5, count=WHOLE_REST))),
        (
            "/a/;UID=1/;SECTION=HEADER.FIELDS%20(From%20To)",
            named("a", 1, section=Section(text=SectionText.HEADER_FIELDS, fields=("From", "To"))),
        ),
    ],
)
def test_messages_and_parts_of_this_server(url: str, parsed: ImapUrl) -> None:
    assert parse_url(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "/INBOX",
        "imap://mail.example/INBOX/;UID=1",
        "//mail.example/INBOX/;UID=1",
        "/INBOX/;UID=0",
        "/INBOX/;UID=4294967296",
        "/INBOX;UIDVALIDITY=0/;UID=1",
        "/%/;UID=1",
        "/%ff/;UID=1",
        "/台/;UID=1",
        "/INBOX/;UID=1/;SECTION=",
        "/INBOX/;UID=1/;SECTION=MIME",
        "/INBOX/;UID=1/;SECTION=1]x",
        "/INBOX/;UID=1/;PARTIAL=1.0",
        "/INBOX/;UID=1/;SECTION=1;URLAUTH=anonymous",
        "/INBOX/;UID=1?x",
        "/INBOX?SUBJECT%20x",
    ],
)
def test_what_names_no_message_here(url: str) -> None:
    assert parse_url(url) is None
