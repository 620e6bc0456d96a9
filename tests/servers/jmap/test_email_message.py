"""Messages from properties, which are read back as the same properties."""

import unicodedata
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.digest import digest_message
from mailstack.model.instant import Instant
from mailstack.servers.jmap.email_message import Making, check_blobs, message_of
from mailstack.servers.jmap.email_object import EmailSource, email_object
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import NotSet, SetFaultType
from mailstack.wire.jmap.mail.email_given import given_email
from mailstack.wire.jmap.mail.email_wanted import email_wanted

_MAKING = Making(now=Instant(1_531_184_591_000), token="0123456789abcdef", domain="mail.example.com")
_IN = {"mailboxIds": {"F1": True}}


def made(given: dict[str, Any], blobs: dict[str, bytes] | None = None) -> bytes:
    return message_of(given_email({**_IN, **given}), blobs or {}, _MAKING)


def read_back(raw: bytes, *properties: str) -> dict[str, Any]:
    wanted = email_wanted(Arguments({"properties": [*properties], "fetchAllBodyValues": True}), by_default=())
    source = EmailSource(stored={}, digest=digest_message(raw), raw=raw, part_blob_id=lambda number: f"P{number}")
    found: dict[str, Any] = orjson.loads(orjson.dumps(email_object(wanted, source)))
    return found


def test_the_first_draft_of_the_rfc() -> None:
    raw = made(
        {
            "keywords": {"$seen": True, "$draft": True},
            "from": [{"name": "Joe Bloggs", "email": "joe@example.com"}],
            "subject": "World domination",
            "receivedAt": "2018-07-10T01:03:11Z",
            "sentAt": "2018-07-10T11:03:11+10:00",
            "bodyStructure": {"type": "text/plain", "partId": "bd48", "header:Content-Language": "en"},
            "bodyValues": {"bd48": {"value": "I have the most brilliant plan.", "isTruncated": False}},
        }
    )
    assert raw == (
        b"Message-ID: <0123456789abcdef@mail.example.com>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'From: "Joe Bloggs" <joe@example.com>\r\n'
        b"Subject: World domination\r\n"
        b"Date: Tue, 10 Jul 2018 11:03:11 +1000\r\n"
        b"Content-Language: en\r\n"
        b'Content-Type: text/plain; charset="us-ascii"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"I have the most brilliant plan."
    )


def test_the_second_draft_of_the_rfc() -> None:
    html = '<!DOCTYPE html><html><head><title></title><style type="text/css">div{font-size:16px}</style></head></html>'
    raw = made(
        {
            "from": [{"name": "Joe Bloggs", "email": "joe@example.com"}],
            "to": [{"name": "John", "email": "john@example.com"}],
            "subject": "World domination",
            "sentAt": "2018-07-10T11:05:08+10:00",
            "bodyStructure": {
                "type": "multipart/alternative",
                "subParts": [
                    {"partId": "a49d", "type": "text/html", "header:Content-Language": "en"},
                    {"partId": "bd48", "type": "text/plain", "header:Content-Language": "en"},
                ],
            },
            "bodyValues": {"bd48": {"value": "I have\nthe plan."}, "a49d": {"value": html, "isTruncated": False}},
        }
    )
    found = read_back(raw, "from", "to", "subject", "sentAt", "bodyValues", "textBody", "htmlBody")
    assert found["from"] == [{"name": "Joe Bloggs", "email": "joe@example.com"}]
    assert found["to"] == [{"name": "John", "email": "john@example.com"}]
    assert (found["subject"], found["sentAt"]) == ("World domination", "2018-07-10T11:05:08+10:00")
    assert [value["value"] for value in found["bodyValues"].values()] == [html, "I have\nthe plan."]
    assert [part["partId"] for part in (*found["textBody"], *found["htmlBody"])] == ["2", "1"]
    assert found["textBody"][0]["language"] == ["en"]


def test_what_the_client_leaves_out_the_server_adds() -> None:
    found = read_back(made({}), "messageId", "sentAt", "header:MIME-Version")
    assert found == {
        "messageId": ["0123456789abcdef@mail.example.com"],
        "sentAt": "2018-07-10T01:03:11Z",
        "header:MIME-Version": " 1.0",
    }


def test_what_the_client_gives_the_server_does_not_add() -> None:
    raw = made({"messageId": ["a@b"], "sentAt": "2018-07-10T11:03:11+10:00", "header:mime-version": " 1.0"})
    found = read_back(raw, "header:Message-ID:all", "header:Date:all", "header:MIME-Version:all")
    assert [len(values) for values in found.values()] == [1, 1, 1]


def test_attachments_come_back() -> None:
    raw = made(
        {
            "htmlBody": [{"partId": "1"}],
            "bodyValues": {"1": {"value": "ü"}},
            "attachments": [
                {"blobId": "U1", "type": "application/pdf", "name": "Übersicht über alles  1.pdf", "language": ["de"]},
                {"blobId": "U2", "type": "image/png", "cid": "a@b", "location": "http://x/", "name": "a.png"},
                {"blobId": "U3", "type": "text/csv", "charset": "windows-1252", "disposition": "attachment"},
                {"blobId": "U4", "header:Content-Type": "application/x; a=b; boundary=c", "size": 7},
            ],
        },
        {"U1": b"%PDF", "U2": b"\x89PNG", "U3": b"\xfc;\n", "U4": b"x"},
    )
    found = read_back(raw, "attachments", "textBody", "bodyValues", "hasAttachment")
    assert found["hasAttachment"] is True
    assert found["bodyValues"]["1"]["value"] == "ü"
    png, pdf, csv, other = found["attachments"]
    assert (pdf["name"], pdf["disposition"], pdf["size"], pdf["language"]) == (
        "Übersicht über alles  1.pdf",
        "attachment",
        4,
        ["de"],
    )
    assert (png["cid"], png["location"], png["disposition"], png["name"]) == ("a@b", "http://x/", "inline", "a.png")
    assert (csv["charset"], csv["size"]) == ("windows-1252", 3)
    assert other["type"] == "application/x"
    assert b'Content-Type: application/x; a="b"\r\n' in raw


def test_a_message_can_be_attached() -> None:
    inner = b"Subject: x\r\n\r\nHello"
    raw = made({"attachments": [{"blobId": "B1", "type": "message/rfc822"}]}, {"B1": inner})
    assert read_back(raw, "attachments")["attachments"][0]["size"] == len(inner)


def test_missing_blobs_are_named() -> None:
    email = given_email({**_IN, "attachments": [{"blobId": each} for each in ("U3", "U1", "U2", "U3")]})
    check_blobs(email, {"U1", "U2", "U3"})
    with pytest.raises(NotSet) as refusal:
        check_blobs(email, {"U1"})
    assert refusal.value.fault.as_json() == {"type": SetFaultType.BLOB_NOT_FOUND.value, "notFound": ["U2", "U3"]}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"to": [{"email": "a@x\r\nBcc: b@x"}]}, "to"),
        ({"header:X": "a\r\nBcc: b@x"}, "header:X"),
        ({"references": ["a b"]}, "references"),
        ({"header:List-Post:asURLs": ["a b"]}, "header:List-Post:asURLs"),
        ({"bodyStructure": {"blobId": "U1", "header:X": "a\0"}}, "bodyStructure/header:X"),
        ({"bodyStructure": {"blobId": "U1", "location": "a" * 999}}, "bodyStructure"),
    ],
)
def test_what_no_message_can_hold_is_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(NotSet) as refusal:
        made(given, {"U1": b"x"})
    assert refusal.value.fault.properties == (named,)


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80).map(
    lambda text: unicodedata.normalize("NFC", text).strip()
)
_BODY = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_ADDRESSES = st.lists(
    st.fixed_dictionaries({"name": _TEXT.map(lambda text: text or None), "email": st.just("a.b+c@x.example")}),
    min_size=1,
    max_size=3,
)


@settings(derandomize=True)
@given(_TEXT, _ADDRESSES, _BODY, _BODY, st.lists(st.tuples(_TEXT.filter(bool), st.binary(max_size=99)), max_size=3))
def test_what_is_made_is_read_back_the_same(
    subject: str, to: list[dict[str, Any]], text: str, html: str, files: list[tuple[str, bytes]]
) -> None:
    blobs = {f"U{at}": content for at, (_, content) in enumerate(files)}
    attachments = [
        {"blobId": f"U{at}", "type": "application/x", "name": name, "disposition": "attachment"}
        for at, (name, _) in enumerate(files)
    ]
    raw = made(
        {
            "subject": subject,
            "to": to,
            "textBody": [{"partId": "t", "type": "text/plain"}],
            "htmlBody": [{"partId": "h", "type": "text/html"}],
            "bodyValues": {"t": {"value": text}, "h": {"value": html}},
            "attachments": attachments,
        },
        blobs,
    )
    found = read_back(raw, "subject", "to", "bodyValues", "textBody", "htmlBody", "attachments")
    assert (found["subject"], found["to"]) == (subject, to)
    values = found["bodyValues"]
    assert values[found["textBody"][0]["partId"]]["value"] == text.replace("\r\n", "\n")
    assert values[found["htmlBody"][0]["partId"]]["value"] == html.replace("\r\n", "\n")
    assert [(part["name"], part["size"]) for part in found["attachments"]] == [
        (name, len(content)) for name, content in files
    ]
