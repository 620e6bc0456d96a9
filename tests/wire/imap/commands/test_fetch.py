"""FETCH. RFC 3501 §6.4.5, RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970, RFC 9394."""

import pytest

from mailstack.model.ids import ModSeq
from mailstack.model.numset import STAR, NumSet
from mailstack.model.query import SavedResult
from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.commands.fetch import Fetch, Modifiers
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.fetch_items import Attribute, BinarySize, BodyItem, Item
from mailstack.wire.imap.partial import PartialRange
from tests.support.imap_events import fault_of, request_of

A = Attribute
FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)


def items_of(items: bytes) -> tuple[Item, ...]:
    request = request_of(b"FETCH 1 " + items)
    assert isinstance(request, Fetch)
    return request.items


def test_messages() -> None:
    assert request_of(b"UID FETCH 3:* UID") == Fetch(
        messages=Numbered(numbers=NumSet(((3, STAR),)), is_uid=True), items=(Attribute.UID,)
    )


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (b"FLAGS", (Attribute.FLAGS,)),
        (b"(FLAGS)", (Attribute.FLAGS,)),
        (b"(FLAGS UID flags)", (Attribute.FLAGS, Attribute.UID)),
        (b"ALL", (*FAST, Attribute.ENVELOPE)),
        (b"fast", FAST),
        (b"FULL", (*FAST, Attribute.ENVELOPE, Attribute.BODY)),
        (b"(BODY BODYSTRUCTURE)", (Attribute.BODY, Attribute.BODYSTRUCTURE)),
        (b"(MODSEQ emailid ThreadID SAVEDATE)", (A.MODSEQ, A.EMAILID, A.THREADID, A.SAVEDATE)),
        (b"PREVIEW", (A.PREVIEW,)),
        (b"PREVIEW (LAZY)", (A.PREVIEW,)),
        (b"(PREVIEW (lazy) UID)", (A.PREVIEW, A.UID)),
        (b"(UID PREVIEW)", (A.UID, A.PREVIEW)),
        (b"(" + b"FLAGS " * 50 + b"UID)", (A.FLAGS, A.UID)),  # longer than what is remembered
    ],
)
def test_attributes(items: bytes, expected: tuple[Item, ...]) -> None:
    assert items_of(items) == expected


@pytest.mark.parametrize(
    ("item", "label", "section", "partial", "marks_seen"),
    [
        (b"BODY[]", b"BODY[]", Section(), None, True),
        (b"BODY.PEEK[TEXT]", b"BODY[TEXT]", Section(text=SectionText.TEXT), None, False),
        (b"body[1.2]<10.20>", b"BODY[1.2]<10>", Section(part=(1, 2)), Partial(offset=10, count=20), True),
        (b"RFC822", b"RFC822", Section(), None, True),
        (b"RFC822.HEADER", b"RFC822.HEADER", Section(text=SectionText.HEADER), None, False),
        (b"RFC822.TEXT", b"RFC822.TEXT", Section(text=SectionText.TEXT), None, True),
        (
            b"BODY.PEEK[HEADER.FIELDS (From To)]",
            b"BODY[HEADER.FIELDS (From To)]",
            Section(text=SectionText.HEADER_FIELDS, fields=("From", "To")),
            None,
            False,
        ),
    ],
)
def test_bodies(item: bytes, label: bytes, section: Section, partial: Partial | None, *, marks_seen: bool) -> None:
    assert items_of(item) == (BodyItem(label=label, section=section, partial=partial, marks_seen=marks_seen),)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            b"BINARY[1.2]",
            BodyItem(
                label=b"BINARY[1.2]", section=Section(part=(1, 2)), partial=None, marks_seen=True, is_decoded=True
            ),
        ),
        (
            b"binary.peek[]<5.10>",
            BodyItem(
                label=b"BINARY[]<5>",
                section=Section(),
                partial=Partial(offset=5, count=10),
                marks_seen=False,
                is_decoded=True,
            ),
        ),
        (b"BINARY.SIZE[3]", BinarySize(label=b"BINARY.SIZE[3]", section=Section(part=(3,)))),
    ],
)
def test_binary(item: bytes, expected: Item) -> None:
    assert items_of(item) == (expected,)


@pytest.mark.parametrize(
    ("modifiers", "expected"),
    [
        (b"", Modifiers()),
        (b" (CHANGEDSINCE 12345)", Modifiers(changed_since=ModSeq(12345))),
        (b" (CHANGEDSINCE 12345 VANISHED)", Modifiers(changed_since=ModSeq(12345), wants_vanished=True)),
        (b" (vanished changedsince 1)", Modifiers(changed_since=ModSeq(1), wants_vanished=True)),
        (b" (PARTIAL -1:-30)", Modifiers(page=PartialRange(first=1, last=30, is_from_end=True))),
        (
            b" (PARTIAL 1:5 CHANGEDSINCE 98305)",
            Modifiers(page=PartialRange(first=1, last=5, is_from_end=False), changed_since=ModSeq(98305)),
        ),
    ],
)
def test_modifiers(modifiers: bytes, expected: Modifiers) -> None:
    request = request_of(b"UID FETCH 1:* (UID FLAGS)" + modifiers)
    assert isinstance(request, Fetch)
    assert request.modifiers == expected


def test_changedsince_of_message_numbers() -> None:
    request = request_of(b"FETCH 1:2 PREVIEW (CHANGEDSINCE 5)")
    assert isinstance(request, Fetch)
    assert request.modifiers == Modifiers(changed_since=ModSeq(5))


def test_what_a_search_saved() -> None:
    assert request_of(b"FETCH $ FLAGS") == Fetch(
        messages=Numbered(numbers=SavedResult(), is_uid=False), items=(Attribute.FLAGS,)
    )


@pytest.mark.parametrize(
    "command",
    [
        b"FETCH",
        b"FETCH 1",
        b"FETCH 1 ()",
        b"FETCH 1 (FLAGS",
        b"FETCH 1 (ALL)",
        b"FETCH 1 FOO",
        b"FETCH 1 (FLAGS FOO)",
        b"FETCH 1 BODY.PEEK",
        b"FETCH 1 BODY[FOO]",
        b"FETCH 1 FLAGS UID",
        b"FETCH (1) FLAGS",
        b"FETCH 1 BINARY",
        b"FETCH 1 BINARY.SIZE[1]<0.5>",
        b"FETCH 1 BINARY[TEXT]",
        b"FETCH 1 BINARY[1.]",
        b"FETCH 1 FLAGS[1]",
        b"FETCH 1 (PREVIEW (EAGER))",
        b"FETCH 1 FLAGS ()",
        b"FETCH 1 FLAGS (FOO)",
        b"FETCH 1 FLAGS (CHANGEDSINCE)",
        b"FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)",
        b"FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
        b"UID FETCH 1 FLAGS (VANISHED)",
        b"FETCH 1 FLAGS (PARTIAL 1:2)",
        b"UID FETCH 1 FLAGS (PARTIAL 1:-2)",
        b"FETCH 1 (" + b" ".join(b"BODY[%d]" % part for part in range(1, 70)) + b")",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)


def test_field_names_may_be_literals() -> None:
    events = request_of(b"FETCH 1 BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject {2+}\r\nTo)]")
    assert isinstance(events, Fetch)
    assert events.items == items_of(b"BODY.PEEK[HEADER.FIELDS (Subject To)]")


def test_nothing_may_follow_what_is_remembered() -> None:
    assert items_of(b"FLAGS") == (A.FLAGS,)
    assert fault_of(b"FETCH 1 FLAGS {1+}\r\nx")
    assert fault_of(b"FETCH 1 FLAGS{1+}\r\nx")
