"""JMAP: any JSON is a query or refused, and any text has snippets that are bounded and marked."""

from contextlib import suppress
from typing import Any

import orjson

from mailstack.formats.collation import FOLDS
from mailstack.formats.searched import folded
from mailstack.formats.snippets import MAX_OCTETS, marked, marked_preview
from mailstack.model.ids import MailboxId
from mailstack.model.query import nodes
from mailstack.services.mailbox.predicates import need_of
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault
from mailstack.wire.jmap.mail.email_filter import read_email_filter, tokens
from mailstack.wire.jmap.mail.email_sort import read_email_sort
from mailstack.wire.jmap.mail.mailbox_query import MailboxFacts, read_mailbox_query
from mailstack.wire.jmap.window import read_window
from tests.fuzz.target import Target

_MAILBOXES = [
    MailboxFacts(
        id=f"F{number}",
        parent_id=f"F{number // 2}" if number > 1 else None,
        name=f"n{number % 3}",
        role="inbox" if number == 1 else None,
        sort_order=number % 2,
        is_subscribed=number % 3 == 0,
    )
    for number in range(1, 9)
]


def _query(data: bytes) -> None:
    try:
        given = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if isinstance(given, dict):
        for run in (_email, _mailbox, _window):
            with suppress(MethodFault):
                run(Arguments(given))


def _email(arguments: Arguments) -> None:
    query = read_email_filter(arguments.mapping("filter"), mailbox_of=lambda text: MailboxId(len(text)))
    need_of(query)
    assert len(list(nodes(query))) < 1_000_000
    read_email_sort(arguments.array("sort"))


def _mailbox(arguments: Arguments) -> None:
    query = read_mailbox_query(arguments, id_of=lambda text: text, folded=folded, folds=FOLDS)
    found = query.find(_MAILBOXES)
    assert len(set(found)) == len(found) <= len(_MAILBOXES)


def _window(arguments: Arguments) -> None:
    letters = list("abcdef")
    start, found, _ = read_window(arguments).cut(letters, of=lambda text: text)
    assert start >= 0
    assert found == letters[start : start + len(found)]


def _snippets(data: bytes) -> None:
    needles, _, text = data.decode(errors="replace").partition("\n")
    found: list[Any] = [folded(token) for token in tokens(needles)[:20]]
    whole, preview = marked(text, found), marked_preview(text, found)
    if whole is not None:
        assert whole.count("<mark>") == whole.count("</mark>") > 0
        assert "<" not in whole.replace("<mark>", "").replace("</mark>", "")
    if preview is not None:
        assert len(preview.encode()) <= MAX_OCTETS


TARGETS = (
    Target(
        "jmap query",
        _query,
        (
            b'{"filter":{"operator":"AND","conditions":[{"inMailbox":"F1"},{"text":"a \'b c\'"},{"header":["X","y"]}]},'
            b'"sort":[{"property":"someInThreadHaveKeyword","keyword":"$seen","isAscending":false}]}',
            b'{"filter":{"before":"2020-01-01T00:00:00Z","minSize":5,"hasAttachment":true},"sort":[{"property":"size"}]}',
            b'{"filter":{"parentId":null,"name":"n","hasAnyRole":false},"sort":[{"property":"name"}],"sortAsTree":true}',
            b'{"anchor":"c","anchorOffset":-1,"limit":3,"position":-2}',
        ),
    ),
    Target("jmap snippets", _snippets, (b"a 'b c'\nx a & <b> b c", "ß ﬁ\nStraße ﬁn".encode())),
)
