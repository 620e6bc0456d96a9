"""FETCH. RFC 3501 §6.4.5."""

import pytest

from mailstack.model.numset import STAR, NumSet
from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.commands.fetch import Attribute, BodyItem, Fetch, Item
from mailstack.wire.imap.commands.numbered import Numbered
from tests.support.imap_events import fault_of, request_of

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
        b"FETCH 1 (" + b" ".join(b"BODY[%d]" % part for part in range(1, 70)) + b")",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
