"""Entities that are written are read back the same."""

import pytest

from mailstack.formats.body_parts import content_of, part_leaves
from mailstack.formats.body_value import body_value
from mailstack.formats.entity import Entity, write_entity
from mailstack.formats.mime import scan
from mailstack.model.errors import Invalid


def test_plain_text_stays_readable() -> None:
    assert write_entity(Entity(media_type="text/plain", content="a\nb"), token="t") == (
        b'Content-Type: text/plain; charset="us-ascii"\r\nContent-Transfer-Encoding: 7bit\r\n\r\na\r\nb'
    )


@pytest.mark.parametrize(
    ("media_type", "text", "head"),
    [
        ("image/jpeg", "{}", b"Content-Type: image/jpeg\r\n"),
        ("application/json", "\u00e4", b'Content-Type: application/json; charset="utf-8"\r\n'),
    ],
)
def test_text_of_another_type(media_type: str, text: str, head: bytes) -> None:
    assert write_entity(Entity(media_type=media_type, content=text), token="t").startswith(head)


@pytest.mark.parametrize(
    ("media_type", "octets", "encoding"),
    [
        ("text/plain", b"a\r\nb", b"7bit"),
        ("text/plain", b"a\nb", b"base64"),
        ("text/plain", b"", b"7bit"),
        ("text/plain", b"a" * 999, b"base64"),
        ("application/pdf", b"a", b"base64"),
        ("image/png", bytes(range(256)), b"base64"),
        ("message/rfc822", b"Subject: a\r\n\r\nb", b"7bit"),
        ("message/rfc822", b"Subject: a\r\n\r\n\xfc", b"8bit"),
        ("message/rfc822", b"Subject: a\r\n\r\n\0", b"binary"),
    ],
)
def test_octets_come_back(media_type: str, octets: bytes, encoding: bytes) -> None:
    raw = write_entity(
        Entity(media_type="multipart/mixed", content=[Entity(media_type=media_type, content=octets)]), token="t"
    )
    (leaf,) = part_leaves(scan(raw))
    assert leaf.encoding == encoding
    assert content_of(raw, leaf) == octets


@pytest.mark.parametrize("text", ["", "a", "\n", "a\n\n", "ü\n", "x" * 2_000, "a \nb\t\n", "a\rb", ".\n--x\n", "\0"])
def test_text_comes_back(text: str) -> None:
    alone = Entity(media_type="text/html", content=text)
    for entity in (alone, Entity(media_type="multipart/mixed", content=[alone, alone])):
        raw = write_entity(entity, token="t")
        for leaf in part_leaves(scan(raw)):
            assert body_value(raw, leaf, max_octets=0).text == text


def test_boundaries_differ_within_one_another() -> None:
    entity = Entity(media_type="text/plain", content="x")
    for _ in range(20):
        entity = Entity(media_type="multipart/mixed", content=[entity, Entity(media_type="text/plain", content="y")])
    raw = write_entity(entity, token="t")
    assert [content_of(raw, leaf) for leaf in part_leaves(scan(raw))] == [b"x", *[b"y"] * 20]


def test_what_no_field_holds_is_refused() -> None:
    with pytest.raises(Invalid):
        write_entity(Entity(media_type="text/plain", parameters=[("a\r\nb", "c")], content="x"), token="t")
