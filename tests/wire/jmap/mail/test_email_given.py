"""Emails that clients give to be made, and every refusal of RFC 8621 §4.6."""

from typing import Any

import pytest

from mailstack.model.header_value import RawValue
from mailstack.model.instant import Instant
from mailstack.wire.jmap.faults import NotSet, SetFaultType
from mailstack.wire.jmap.mail.email_given import MAX_PROPERTIES, GivenEmail, blobs_of, given_email
from mailstack.wire.jmap.mail.header_given import MAX_ITEMS, MAX_TEXT
from mailstack.wire.jmap.mail.part_given import MAX_DEPTH, MAX_PARTS, GivenBlob, GivenPart

_IN = {"mailboxIds": {"F1": True}}
_VALUES = {"bodyValues": {"1": {"value": "Hello"}, "2": {"value": "<p>Hello"}}}


def read(**given: Any) -> GivenEmail:
    return given_email({**_IN, **_VALUES, **given})


def shape(part: GivenPart) -> Any:
    if isinstance(part.content, str | GivenBlob):
        return part.type
    return (part.type, [shape(each) for each in part.content])


def test_what_is_stored_with_it() -> None:
    found = given_email(
        {
            "mailboxIds": {"F1": True, "#new": True},
            "keywords": {"$seen": True, "$draft": True},
            "receivedAt": "2018-07-10T01:03:11Z",
        }
    )
    assert found.mailbox_ids == ["F1", "#new"]
    assert found.keywords == {"\\Seen", "\\Draft"}
    assert found.received_at == Instant(1_531_184_591_000)
    assert (found.body.type, found.body.content) == ("text/plain", "")


_TEXT = {"textBody": [{"partId": "1"}]}
_HTML = {"htmlBody": [{"partId": "2", "type": "text/html"}]}
_PICTURE = {"blobId": "P1", "type": "image/png", "cid": "a@b"}
_FILE = {"blobId": "U1", "type": "application/pdf", "name": "a.pdf"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "text/plain"),
        (_TEXT, "text/plain"),
        (_HTML, "text/html"),
        (_TEXT | _HTML, ("multipart/alternative", ["text/plain", "text/html"])),
        (_TEXT | {"attachments": [_FILE]}, ("multipart/mixed", ["text/plain", "application/pdf"])),
        ({"attachments": [_FILE]}, ("multipart/mixed", ["application/pdf"])),
        ({"attachments": []}, "text/plain"),
        (
            _TEXT | _HTML | {"attachments": [_PICTURE, _FILE]},
            (
                "multipart/mixed",
                [
                    ("multipart/alternative", ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
                    "application/pdf",
                ],
            ),
        ),
        (_TEXT | {"attachments": [_PICTURE]}, ("multipart/mixed", ["text/plain", "image/png"])),
        (
            {"bodyStructure": {"type": "multipart/x", "subParts": [{"partId": "1"}, {"blobId": "U1"}]}},
            ("multipart/x", ["", ""]),
        ),
        ({"bodyStructure": {"subParts": [{"partId": "1", "type": "TEXT/Plain"}]}}, ("multipart/mixed", ["text/plain"])),
    ],
)
def test_how_parts_are_arranged(given: dict[str, Any], expected: Any) -> None:
    assert shape(read(**given).body) == expected


def test_blobs_that_are_needed() -> None:
    found = read(**_HTML, attachments=[_PICTURE, _FILE])
    assert list(blobs_of(found.body)) == ["P1", "U1"]


def test_attachments_say_that_they_are() -> None:
    found = read(attachments=[_FILE, {"blobId": "U2", "header:Content-Disposition": " x"}])
    assert not isinstance(found.body.content, str | GivenBlob)
    assert [part.disposition for part in found.body.content] == ["attachment", None]


def test_null_is_not_given() -> None:
    found = read(cc=None, subject=None, bodyStructure=None, attachments=None, keywords=None, receivedAt=None)
    assert not found.fields
    assert not found.keywords
    assert not read(to=[]).fields


def test_the_type_may_come_as_a_field() -> None:
    part = read(bodyStructure={"partId": "1", "header:Content-Type": " text/x; format=flowed"}).body
    assert (part.type, part.content_type, list(part.fields)) == ("text/x", " text/x; format=flowed", [])


def test_each_field_of_all_is_one() -> None:
    found = read(**{"header:X-A:all": ["1", "2"]})
    assert [(field.name, field.value) for field in found.fields] == [("X-A", RawValue(" 1")), ("X-A", RawValue(" 2"))]


def nested(depth: int) -> dict[str, Any]:
    part: dict[str, Any] = {"partId": "1"}
    for _ in range(depth):
        part = {"subParts": [part]}
    return part


def part(**given: Any) -> dict[str, Any]:
    return {"bodyStructure": given}


def test_an_email_of_too_many_properties() -> None:
    with pytest.raises(NotSet) as caught:
        read(**{f"header:X{number}": " y" for number in range(MAX_PROPERTIES + 1)})
    assert caught.value.fault.type is SetFaultType.TOO_LARGE


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"to": [{"email": "a@x"}] * (MAX_ITEMS + 1)}, "to"),
        ({"subject": "x" * (MAX_TEXT + 1)}, "subject"),
        # RFC 8621 §4.6, rule by rule.
        ({"headers": []}, "headers"),
        (part(partId="1", headers=[]), "bodyStructure/headers"),
        ({"from": [{"email": "a@x"}], "header:from": " a@x"}, "header:from"),
        ({"header:X-A": "1", "header:x-a:asText": "2"}, "header:x-a:asText"),
        (
            part(partId="1", type="text/plain", **{"header:Content-Type": "text/plain"}),
            "bodyStructure/header:Content-Type",
        ),
        (
            part(partId="1", language=["en"], **{"header:content-language": "en"}),
            "bodyStructure/header:content-language",
        ),
        (part(partId="1", cid="a", **{"header:Content-ID": "<a>"}), "bodyStructure/header:Content-ID"),
        (
            part(blobId="U1", name="a", **{"header:Content-Disposition": "x"}),
            "bodyStructure/header:Content-Disposition",
        ),
        ({"header:From:asDate": "2018-07-10T01:03:11Z"}, "header:From:asDate"),
        (part(partId="1", **{"header:Subject:asURLs": []}), "bodyStructure/header:Subject:asURLs"),
        ({"header:Content-Type": "text/plain"}, "header:Content-Type"),
        ({**_TEXT, **part(partId="1")}, "textBody"),
        ({**part(partId="1"), "attachments": []}, "attachments"),
        ({"subject": "a", **part(partId="1", **{"header:Subject": " b"})}, "bodyStructure/header:Subject"),
        ({"textBody": []}, "textBody"),
        ({"textBody": [{"partId": "1"}, {"partId": "2"}]}, "textBody"),
        ({"textBody": [{"partId": "1", "type": "text/html"}]}, "textBody/0/type"),
        ({"htmlBody": [{"partId": "1", "type": "text/plain"}]}, "htmlBody/0/type"),
        ({"htmlBody": [{"subParts": [{"partId": "1"}]}]}, "htmlBody/0/type"),
        (part(partId="1", blobId="U1"), "bodyStructure/partId"),
        (part(type="text/plain"), "bodyStructure/partId"),
        (part(partId="9"), "bodyStructure/partId"),
        (part(partId="1", charset="utf-8"), "bodyStructure/charset"),
        (part(partId="1", size=5), "bodyStructure/size"),
        (
            part(partId="1", **{"header:Content-Transfer-Encoding": "8bit"}),
            "bodyStructure/header:Content-Transfer-Encoding",
        ),
        ({"bodyValues": {"1": {"value": "a", "isEncodingProblem": True}}}, "bodyValues/1/isEncodingProblem"),
        ({"bodyValues": {"1": {"value": "a", "isTruncated": True}}}, "bodyValues/1/isTruncated"),
        # What the server sets, and what nobody knows.
        ({"id": "M1"}, "id"),
        ({"preview": "x"}, "preview"),
        ({"colour": 1}, "colour"),
        (part(partId="1", colour=1), "bodyStructure/colour"),
        ({"header:": ""}, "header:"),
        # Wrong types.
        ({"mailboxIds": {}}, "mailboxIds"),
        ({"mailboxIds": None}, "mailboxIds"),
        ({"mailboxIds": {"F1": False}}, "mailboxIds"),
        ({"mailboxIds": {"F 1": True}}, "mailboxIds"),
        ({"keywords": ["$seen"]}, "keywords"),
        ({"receivedAt": "2018-07-10T11:03:11+10:00"}, "receivedAt"),
        ({"receivedAt": 1}, "receivedAt"),
        ({"subject": 1}, "subject"),
        ({"sentAt": "yesterday"}, "sentAt"),
        ({"to": "a@x"}, "to"),
        ({"to": [{"name": "a"}]}, "to"),
        ({"to": [{"email": "a@x", "colour": 1}]}, "to"),
        ({"to": [{"email": "a@x", "name": 1}]}, "to"),
        ({"messageId": "a@x"}, "messageId"),
        ({"header:X:all": "a"}, "header:X:all"),
        ({"header:X:asGroupedAddresses": [{"name": "a"}]}, "header:X:asGroupedAddresses"),
        ({"bodyStructure": []}, "bodyStructure"),
        ({"attachments": {}}, "attachments"),
        ({"attachments": ["U1"]}, "attachments/0"),
        ({"bodyValues": []}, "bodyValues"),
        ({"bodyValues": {"1": "a"}}, "bodyValues/1"),
        ({"bodyValues": {"1": {"value": 1}}}, "bodyValues/1/value"),
        (part(partId=1), "bodyStructure/partId"),
        (part(blobId="a b"), "bodyStructure/blobId"),
        (part(partId="1", type="text"), "bodyStructure/type"),
        (part(partId="1", type="text/plain; charset=x"), "bodyStructure/type"),
        (part(partId="1", **{"header:Content-Type:asURLs": ["a"]}), "bodyStructure/type"),
        (part(partId="1", disposition="in line"), "bodyStructure/disposition"),
        (part(blobId="U1", charset="a;b"), "bodyStructure/charset"),
        (part(partId="1", cid="<a>"), "bodyStructure/cid"),
        (part(partId="1", location="a b"), "bodyStructure/location"),
        (part(partId="1", language="en"), "bodyStructure/language"),
        (part(partId="1", language=["e n"]), "bodyStructure/language"),
        # Multiparts.
        (part(type="multipart/mixed"), "bodyStructure/subParts"),
        (part(type="multipart/mixed", subParts=[]), "bodyStructure/subParts"),
        (part(type="multipart/mixed", partId="1", subParts=[{"partId": "1"}]), "bodyStructure/partId"),
        (part(type="multipart/mixed", blobId="U1", subParts=[{"partId": "1"}]), "bodyStructure/blobId"),
        (part(type="text/plain", partId="1", subParts=[{"partId": "1"}]), "bodyStructure/subParts"),
        (part(subParts=[{"partId": "1"}] * MAX_PARTS), f"bodyStructure/subParts/{MAX_PARTS - 1}"),
        ({"bodyStructure": nested(MAX_DEPTH + 1)}, "bodyStructure" + "/subParts/0" * (MAX_DEPTH + 1)),
    ],
)
def test_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(NotSet) as refusal:
        read(**given)
    assert refusal.value.fault.type is SetFaultType.INVALID_PROPERTIES
    assert refusal.value.fault.properties == (named,)
    assert refusal.value.fault.description
