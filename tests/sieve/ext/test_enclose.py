"""RFC 5703 §6, by its example."""

import re

import pytest

from mailstack.formats.mime import scan
from mailstack.sieve.actions import Keep, Redirect
from mailstack.sieve.run import SieveEnvelope
from tests.support.sieve import done, faults, outcome, raw

REQUIRE = 'require ["enclose", "foreverypart", "mime", "variables", "body", "editheader", "copy", "replace"];'
MESSAGE = """\
From: Sender <a@b.example>
To: me@c.example
Date: Tue, 1 Jan 2030 00:00:00 +0000
Message-ID: <x@b.example>
Subject: =?utf-8?b?Z3LDvG4=?=
Content-Type: text/html

<p>gr\u00fcn</p>
"""
ENVELOPE = SieveEnvelope(sender="a@b.example", recipient="me@c.example")


def enclosed(script: str, message: str = MESSAGE) -> str:
    (keep,) = done(f"{REQUIRE} {script}", message, envelope=ENVELOPE)
    assert isinstance(keep, Keep)
    assert keep.is_implicit
    assert keep.raw is not None
    return re.sub(r"[0-9a-f]{40}", "TOKEN", keep.raw[:].decode().replace("\r\n", "\n"))


def test_the_message_becomes_an_attachment() -> None:
    assert (
        enclosed('enclose :subject "Warning" :headers "To" "WARNING! The message below\n";')
        == f"""\
From: me@c.example
Date: Thu, 01 Jan 1970 00:00:00 +0000
Message-ID: <TOKEN@c.example>
Subject: Warning
To: me@c.example
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="TOKEN"
Content-Transfer-Encoding: 8bit

--TOKEN
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

WARNING! The message below

--TOKEN
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

{MESSAGE}
--TOKEN--
"""
    )


def test_fields_that_are_copied() -> None:
    found = enclosed('enclose :headers ["From", "date", "message-id", "content-type", "x-none"] "text";')
    head = found[: found.index("\n\n")]
    assert head == (
        "From: Sender <a@b.example>\nDate: Tue, 1 Jan 2030 00:00:00 +0000\nMessage-ID: <x@b.example>\n"
        "Subject: =?utf-8?b?Z3LDvG4=?=\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="TOKEN"\nContent-Transfer-Encoding: 8bit'
    )


def test_what_follows_sees_the_new_message() -> None:
    script = """enclose :subject "Warning" "careful";
        addheader "X-New" "1";
        foreverypart { set "types" "${types} ${type}";
            if header :mime :contenttype :matches "content-type" "*" { set "types" "${types} ${1}"; } }
        if allof (header "subject" "Warning", exists "x-new", not exists "to",
            string "${types}" "  multipart/mixed  text/plain  message/rfc822  text/html",
            body :contains "careful", body :contains "gr\u00fcn") { discard; }"""
    assert done(f"{REQUIRE} {script}", MESSAGE, envelope=ENVELOPE) == done("discard;")


def test_what_is_redirected_is_not_enclosed() -> None:
    script = 'addheader "X-A" "1"; enclose "text"; addheader "X-B" "2"; redirect :copy "d@e.example";'
    redirect, keep = done(f"{REQUIRE} {script}", MESSAGE, envelope=ENVELOPE)
    assert redirect == Redirect(address="d@e.example", raw=raw(f"X-A: 1\n{MESSAGE}"))
    assert isinstance(keep, Keep)
    assert keep.raw is not None
    assert keep.raw[:].startswith(b"X-B: 2\r\nFrom: me@c.example\r\n")
    script = 'enclose "text"; redirect "d@e.example";'
    assert done(f"{REQUIRE} {script}", MESSAGE) == [Redirect(address="d@e.example")]


def test_it_is_valid_however_often_and_whatever_the_message() -> None:
    (keep,) = done(f'{REQUIRE} enclose "one"; enclose "two";', "no header at all", envelope=ENVELOPE)
    assert isinstance(keep, Keep)
    assert keep.raw is not None
    outer = scan(keep.raw)
    inner = outer.children[1].children[0]
    assert keep.raw[inner.children[1].body_start : inner.children[1].body_end] == b"no header at all"
    same = 'enclose "t";'
    assert enclosed(same) == enclosed(same)


def test_a_loop_goes_on_with_its_part() -> None:
    # RFC 5703 §9.2.
    script = """foreverypart { if header :mime :type "content-type" "text" {
        enclose :subject "Warning" "Danger"; replace "gone"; break; } }"""
    message = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/x-bad\n\nvirus\n--b--\n"
    found = enclosed(script, message)
    assert "virus" not in found
    assert found.count("gone") == 1
    assert "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\ngone\n--b--" in found


def test_how_often_is_limited() -> None:
    script = 'enclose "t";' * 9
    found = outcome(f"{REQUIRE} {script}", MESSAGE)
    assert "more than 8 messages in each other" in found.fault
    assert found.actions == (Keep(is_implicit=True),)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("enclose;", "requires "),
        ('enclose :headers 1 "x";', "expects a string"),
        ('enclose :subject ["a"] "x";', "expects a string"),
        ('enclose :text "x";', "unknown tagged argument"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f"{REQUIRE} {script}")
    assert says in fault
