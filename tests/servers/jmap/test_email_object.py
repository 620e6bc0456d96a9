"""Emails as JSON, with and without the message at hand."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.digest import digest_message
from mailstack.servers.jmap.email_object import EmailSource, email_object, needs_message
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.mail.email_wanted import FETCHED_BY_DEFAULT, email_wanted

# RFC 8621 §4.2.1, with more about it.
_MESSAGE = b"""\
From: Joe Bloggs <joe@example.com>
Subject: Dinner on Thursday?
Date: Sun, 13 Oct 2013 16:12:00 +0200
Message-ID: <1@example.com>
X-Twice: one
List-Post: <mailto:partytime@lists.example.com>
X-Twice: two
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<html><body><p>Hello <b>all</b></p></body></html>
--b
Content-Type: text/plain
Content-Language: en-GB, de (both)
Content-ID: <c@x>
Content-Location: http://x/
 y

-- Sent by your friendly mailing list
--b
Content-Type: application/pdf
Content-Disposition: Attachment; filename=a.pdf
Content-Transfer-Encoding: base64

YWJj
--b--
""".replace(b"\n", b"\r\n")


_STORED: dict[str, Any] = {"id": "M1", "threadId": "T1", "keywords": {}}


def fetched(raw: bytes = _MESSAGE, **arguments: Any) -> dict[str, Any]:
    wanted = email_wanted(Arguments(arguments), by_default=FETCHED_BY_DEFAULT)
    source = EmailSource(
        stored={name: value for name, value in _STORED.items() if name in wanted.names},
        digest=digest_message(raw),
        raw=raw if needs_message(wanted) else None,
        part_blob_id=lambda number: f"P{number}",
    )
    found: dict[str, Any] = orjson.loads(orjson.dumps(email_object(wanted, source)))
    return found


def test_the_example_of_the_rfc() -> None:
    found = fetched(
        properties=["threadId", "from", "subject", "header:List-POST:asURLs", "htmlBody", "bodyValues"],
        bodyProperties=["partId", "blobId", "size", "type"],
        fetchHTMLBodyValues=True,
        maxBodyValueBytes=38,
    )
    assert found == {
        "threadId": "T1",
        "from": [{"name": "Joe Bloggs", "email": "joe@example.com"}],
        "subject": "Dinner on Thursday?",
        "header:List-POST:asURLs": ["mailto:partytime@lists.example.com"],
        "htmlBody": [
            {"partId": "1", "blobId": "P1", "size": 49, "type": "text/html"},
            {"partId": "2", "blobId": "P2", "size": 37, "type": "text/plain"},
        ],
        "bodyValues": {
            "1": {"value": "<html><body><p>Hello <b>all</b></p>", "isEncodingProblem": False, "isTruncated": True},
            "2": {
                "value": "-- Sent by your friendly mailing list",
                "isEncodingProblem": False,
                "isTruncated": False,
            },
        },
    }


def test_a_list_of_mail_needs_no_message() -> None:
    names = ["id", "from", "subject", "preview", "hasAttachment", "messageId", "sentAt", "cc", "keywords", "bodyValues"]
    wanted = email_wanted(Arguments({"properties": names}), by_default=())
    assert not needs_message(wanted)
    assert fetched(properties=names) == {
        "id": "M1",
        "from": [{"name": "Joe Bloggs", "email": "joe@example.com"}],
        "subject": "Dinner on Thursday?",
        "preview": "-- Sent by your friendly mailing list",
        "hasAttachment": True,
        "messageId": ["1@example.com"],
        "sentAt": "2013-10-13T16:12:00+02:00",
        "cc": None,
        "keywords": {},
        "bodyValues": {},
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"properties": ["headers"]},
        {"properties": ["attachments"]},
        {"properties": ["header:X-Other"]},
        {"properties": ["bodyValues"], "fetchAllBodyValues": True},
    ],
)
def test_what_needs_the_message(arguments: dict[str, Any]) -> None:
    assert needs_message(email_wanted(Arguments(arguments), by_default=()))


def test_the_last_field_of_a_name_or_all_of_them() -> None:
    found = fetched(properties=["header:x-twice", "header:X-TWICE:asText:all", "header:none", "header:none:all"])
    assert found == {
        "header:x-twice": " two",
        "header:X-TWICE:asText:all": ["one", "two"],
        "header:none": None,
        "header:none:all": [],
    }


def test_headers_stand_in_order_as_they_are_spelled() -> None:
    found = fetched(properties=["headers"])["headers"]
    assert [each["name"] for each in found][4:7] == ["X-Twice", "List-Post", "X-Twice"]
    assert found[0] == {"name": "From", "value": " Joe Bloggs <joe@example.com>"}


def test_the_structure_is_a_tree() -> None:
    found = fetched(
        properties=["bodyStructure", "attachments"],
        bodyProperties=[
            *("partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"),
            *("header:Content-Type:asText", "subParts", "headers"),
        ],
    )
    root = found["bodyStructure"]
    assert (root["type"], root["partId"], root["blobId"], root["charset"]) == ("multipart/mixed", None, None, None)
    html, text, pdf = root["subParts"]
    assert (html["type"], html["charset"], html["subParts"]) == ("text/html", "utf-8", None)
    assert (text["charset"], text["language"]) == ("us-ascii", ["en-GB", "de"])
    assert (text["cid"], text["location"]) == ("c@x", "http://x/y")
    assert found["attachments"] == [pdf]
    assert pdf == {
        "partId": "3",
        "blobId": "P3",
        "size": 3,
        "name": "a.pdf",
        "type": "application/pdf",
        "charset": None,
        "disposition": "attachment",
        "cid": None,
        "language": None,
        "location": None,
        "header:Content-Type:asText": "application/pdf",
        "subParts": None,
        "headers": [
            {"name": "Content-Type", "value": " application/pdf"},
            {"name": "Content-Disposition", "value": " Attachment; filename=a.pdf"},
            {"name": "Content-Transfer-Encoding", "value": " base64"},
        ],
    }


def test_a_tree_has_parts_even_if_nobody_asked() -> None:
    found = fetched(properties=["bodyStructure"], bodyProperties=["type"])
    assert [part["type"] for part in found["bodyStructure"]["subParts"]] == [
        "text/html",
        "text/plain",
        "application/pdf",
    ]


def test_values_of_the_text_alone() -> None:
    both = fetched(properties=["bodyValues"], fetchAllBodyValues=True)["bodyValues"]
    assert list(both) == ["1", "2"]
    assert list(fetched(properties=["bodyValues"], fetchTextBodyValues=True)["bodyValues"]) == ["1", "2"]


_ALL = [*FETCHED_BY_DEFAULT, "headers", "bodyStructure", "header:Subject", "header:X:asGroupedAddresses:all"]


@settings(derandomize=True)
@given(st.binary(max_size=300))
def test_any_octets_are_an_email(raw: bytes) -> None:
    found = fetched(raw, properties=_ALL, fetchAllBodyValues=True)
    assert set(found) == {*_ALL} - {"blobId", "mailboxIds", "size", "receivedAt"}
