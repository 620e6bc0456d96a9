"""JMAP: any JSON makes an envelope whose paths SMTP can say, or is refused; and so does any header
(mailstack.wire.jmap.mail.submission_given, mailstack.servers.jmap.submission_envelope)."""

from contextlib import suppress

import orjson

from mailstack.formats.headers import scan_fields
from mailstack.model.instant import Instant
from mailstack.servers.jmap.submission_envelope import Envelope, envelope_derived, envelope_given, path_of
from mailstack.wire.jmap.faults import NotSet
from mailstack.wire.jmap.mail.submission_given import given_submission
from mailstack.wire.jmap.request import RequestProblem, parse_json
from tests.fuzz.target import Target


def run_given(data: bytes) -> None:
    with suppress(RequestProblem, NotSet):
        found = parse_json(data)
        if isinstance(found, dict):
            given = given_submission({"identityId": "I1", "emailId": "M1", **found})
            if given.envelope is not None:
                _check(envelope_given(given.envelope, now=Instant(0)))


def run_derived(data: bytes) -> None:
    with suppress(NotSet):
        _check(envelope_derived(scan_fields(data), "me@here.example"))


def _check(envelope: Envelope) -> None:
    orjson.dumps(envelope.written)
    paths = [*envelope.paths, *filter(None, [envelope.reverse_path])]
    assert [path_of(path) for path in paths] == paths
    assert all(path.isprintable() for path in paths)
    assert envelope.notifications.keys() <= {*envelope.paths}


TARGETS = [
    Target(
        "jmap.submission",
        run_given,
        (
            b'{"envelope": {"mailFrom": {"email": "a@b", "parameters": {"HOLDFOR": "1", "ENVID": "x"}}, "rcptTo":'
            b' [{"email": "c@d.example", "parameters": {"NOTIFY": "NEVER", "ORCPT": "rfc822;c@d"}}]}}',
            b'{"envelope": {"mailFrom": {"email": ""}, "rcptTo": [{"email": "\\"a b\\"@[127.0.0.1]"}]}}',
            '{"envelope": {"mailFrom": {"email": "ä@ö.example"}, "rcptTo": [{"email": "a b@c"}]}}'.encode(),
        ),
    ),
    Target(
        "jmap.envelope",
        run_derived,
        (
            b'From: me@here.example\r\nTo: a <b@c>, G: d@e;\r\nCc: "f g"@h\r\nBcc: x\r\n\r\n',
            b"Sender: you@there.example\r\nFrom: a@b, c@d\r\n\r\n",
            b"From: a@b, c@d\r\nTo: \xff@x, a\x00b@c\r\n\r\n",
        ),
    ),
]
