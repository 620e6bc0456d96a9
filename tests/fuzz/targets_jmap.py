"""JMAP: any octets are an Email that JSON can hold, and any JSON makes a message or is refused."""

from contextlib import suppress

import orjson

from mailstack.formats.digest import digest_message
from mailstack.formats.mime import scan
from mailstack.model.instant import Instant
from mailstack.servers.jmap.email_message import Making, message_of
from mailstack.servers.jmap.email_object import EmailSource, email_object
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import NotSet
from mailstack.wire.jmap.mail.email_given import blobs_of, given_email
from mailstack.wire.jmap.mail.email_wanted import FETCHED_BY_DEFAULT, email_wanted
from mailstack.wire.jmap.mail.mailbox_wanted import read_mailbox
from mailstack.wire.jmap.request import RequestProblem, parse_json
from tests.fuzz.target import Target

_WANTED = email_wanted(
    Arguments(
        {
            "properties": [
                *FETCHED_BY_DEFAULT,
                "headers",
                "bodyStructure",
                "header:X:asText:all",
                "header:X:asURLs:all",
                "header:X:asGroupedAddresses:all",
            ],
            "fetchAllBodyValues": True,
            "maxBodyValueBytes": 100,
        }
    ),
    by_default=(),
)


def run_email(data: bytes) -> None:
    source = EmailSource(stored={}, digest=digest_message(data), raw=data, part_blob_id=lambda number: f"P{number}")
    orjson.dumps(email_object(_WANTED, source))


def run_given(data: bytes) -> None:
    try:
        given = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if not isinstance(given, dict):
        return
    making = Making(now=Instant(0), token="t", domain="x.example")
    with suppress(NotSet):
        email = given_email({"mailboxIds": {"F1": True}, **given})
        scan(message_of(email, dict.fromkeys(blobs_of(email.body), data), making))


def run_mailbox(data: bytes) -> None:
    with suppress(RequestProblem, NotSet):
        found = parse_json(data)
        if isinstance(found, dict):
            wanted = read_mailbox(found, fixed={})
            assert wanted.name == found["name"]


TARGETS = [
    Target(
        "jmap.mailbox",
        run_mailbox,
        (
            b'{"name": "a", "parentId": "#k", "role": "archive", "isSubscribed": true}',
            b'{"name": "a/b", "isSubscribed": null}',
        ),
    ),
    Target(
        "jmap.given",
        run_given,
        (
            b'{"subject":"a","to":[{"name":"b","email":"c@d"}],"header:X:asURLs:all":[["x:y"]],"sentAt":'
            b'"2018-07-10T11:03:11+10:00","textBody":[{"partId":"1"}],"bodyValues":{"1":{"value":"x"}},'
            b'"attachments":[{"blobId":"U1","name":"e","type":"text/x"}],"keywords":{"$seen":true}}',
            b'{"references":["a@b"],"bodyStructure":{"subParts":[{"blobId":"U1","header:Content-Type":"a/b; c=d"}]}}',
        ),
    ),
    Target(
        "jmap.email",
        run_email,
        (
            b"From: a <b@c>, G: d@e;\nX: =?utf-8?q?=FF?= <x:y>\nContent-Type: multipart/mixed; boundary=b\n\n"
            b"--b\nContent-Type: text/html; charset=utf-16\nContent-Language: en, de\n\n<\n--b\n"
            b"Content-ID: <x>\nContent-Type: text/x; charset=utf-7\n\n+2AA-\n--b--\n",
        ),
    ),
]
