"""JMAP: any octets are an Email that JSON can hold."""

import orjson

from mailstack.formats.digest import digest_message
from mailstack.servers.jmap.email_object import EmailSource, email_object
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.mail.email_wanted import FETCHED_BY_DEFAULT, email_wanted
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


TARGETS = [
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
