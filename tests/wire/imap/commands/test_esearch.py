"""ESEARCH. RFC 7377 §2, §3."""

import pytest

from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.model.query import Contains, Everything, HasKeyword, Not, TextField
from mailstack.wire.imap.commands.esearch import Esearch
from mailstack.wire.imap.search_returns import RETURN_ALL, ReturnItem, Returns
from tests.support.imap_events import fault_of, request_of

UNSEEN = Not(HasKeyword("\\Seen"))


@pytest.mark.parametrize(
    ("sources", "filters"),
    [
        (
            b'(mailboxes "folder1" subtree "folder2")',
            (MailboxFilter(Reach.MAILBOXES, ("folder1",)), MailboxFilter(Reach.SUBTREE, ("folder2",))),
        ),
        (
            b'(mailboxes "folder1" subtree-one "folder2")',
            (MailboxFilter(Reach.MAILBOXES, ("folder1",)), MailboxFilter(Reach.SUBTREE_ONE, ("folder2",))),
        ),
        (b"(mailboxes (a b a))", (MailboxFilter(Reach.MAILBOXES, ("a", "b")),)),
        (b"(selected personal)", (MailboxFilter(Reach.SELECTED), MailboxFilter(Reach.PERSONAL))),
        (b"(INBOXES subscribed INBOXES)", (MailboxFilter(Reach.INBOXES), MailboxFilter(Reach.SUBSCRIBED))),
    ],
)
def test_sources(sources: bytes, filters: tuple[MailboxFilter, ...]) -> None:
    assert request_of(b"ESEARCH IN " + sources + b" unseen") == Esearch(
        sources=filters, returns=RETURN_ALL, query=UNSEEN
    )


def test_without_sources_it_is_the_selected_mailbox() -> None:
    selected = (MailboxFilter(Reach.SELECTED),)

    assert request_of(b"ESEARCH ALL") == Esearch(sources=selected, returns=RETURN_ALL, query=Everything())
    assert request_of(b"ESEARCH RETURN (SAVE) SUBJECT chad") == Esearch(
        sources=selected, returns=Returns(items=frozenset(), saves=True), query=Contains(TextField.SUBJECT, "chad")
    )
    assert request_of(b"ESEARCH IN (selected) RETURN (SAVE MIN) ALL") == Esearch(
        sources=selected, returns=Returns(items=frozenset({ReturnItem.MIN}), saves=True), query=Everything()
    )


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b" IN",
        b" IN () ALL",
        b" IN (personal) ",
        b" IN (personal)",
        b" IN (everything) ALL",
        b" IN (selected-delayed) ALL",  # RFC 7377 §2.2
        b" IN (subtree) ALL",
        b" IN (mailboxes ()) ALL",
        b" IN (mailboxes (a) ALL",
        b" IN (personal (option)) ALL",  # RFC 7377 §4: no scope option is defined
        b" IN (personal) RETURN (SAVE) ALL",  # RFC 7377 §2.2
        b" RETURN (RELEVANCY) ALL",
    ],
)
def test_malformed(rest: bytes) -> None:
    assert fault_of(b"ESEARCH" + rest)
