"""RFC 5173, by its examples."""

import pytest

from mailstack.sieve.actions import Keep
from mailstack.sieve.limits import Limits
from tests.support.sieve import done, faults, holds, outcome

# RFC 5173 §5.2.
NESTED = """\
From: Whomever
Content-Type: multipart/mixed; boundary=outer

This is a multi-part message in MIME format.

--outer
Content-Type: multipart/alternative; boundary=inner

This is a nested multi-part message in MIME format.

--inner
Content-Type: text/plain; charset="us-ascii"

Hello

--inner
Content-Type: text/html; charset="us-ascii"

<html><body>Hello, <b>bold</b> world</body></html>

--inner
Content-Type: application/xhtml+xml

<html><body>strict</body></html>
--inner--

This is the end of the inner MIME multipart.

--outer
Content-Type: message/rfc822

From: Someone Else
Subject: hello request

Please say Hello

--outer--

This is the end of the outer MIME multipart.
"""
ENCODED = """\
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

w6RiYw==
--b
Content-Type: text/html
Content-Transfer-Encoding: x-nobodys

secret
--b
Content-Type: audio/mp3

--b--
"""


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('body :content "multipart" :contains "MIME"', True),
        ('body :content "multipart" :contains "end of the inner"', True),
        ('body :content "multipart" :contains "end of the outer"', True),
        ('body :content "multipart" :contains ["--inner", "--outer", "Hello"]', False),
        ('body :content "multipart/alternative" :contains "end of the outer"', False),
        ('body :content "multipart" :count "eq" "4"', True),
        ('body :content "text/plain" :contains "Hello"', True),
        ('body :content "text/plain" :contains ["html", "subject"]', False),
        ('body :content "TEXT/Plain" :is "Hello\n"', True),
        ('body :content "text/plain" :matches "Please say*"', True),
        ('body :content "text/html" :contains "<b>"', True),
        ('body :content "text" :count "eq" "3"', True),
        ('body :content "message/rfc822" :contains "Hello"', True),
        ('body :content "message/rfc822" :is "From: Someone Else\nSubject: hello request\n"', True),
        ('body :content "" :contains "strict"', True),
        ('body :content ["/plain", "text/", "text/plain/x", "/"] :contains ""', False),
        ('body :content ["audio", "text/html"] :contains "world"', True),
        ('body :contains "bold world"', True),
        ('body :text :contains "strict"', True),
        ('body :text :contains "say hello"', True),
        ('body :text :contains ["<b>", "MIME", "Subject"]', False),
        ('body :comparator "i;octet" :contains "say hello"', False),
        ('body :raw :contains "boundary=inner"', True),
        ('body :raw :contains "--outer--"', True),
        ('body :raw :contains "Whomever"', False),
        ('body :raw :count "eq" "1"', True),
    ],
)
def test_parts(test: str, expected: bool) -> None:
    assert holds(f'require ["body", "relational"]; {test}', NESTED) is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('body :contains "gr\u00fc\u00dfe"', True),
        ('body :content "text" :is "\u00e4bc"', True),
        ('body :raw :contains "Gr=FC=DFe"', True),
        ('body :raw :contains "gr\u00fc"', False),
        ('body :text :contains "secret"', False),
        ('body :content "text/html" :contains "secret"', True),
        ('body :content "audio/mp3" :contains ""', True),
        ('body :content "video" :contains ""', False),
    ],
)
def test_encodings(test: str, expected: bool) -> None:
    assert holds(f'require "body"; {test}', ENCODED) is expected


@pytest.mark.parametrize("which", [":raw", ":text", ':content ""'])
def test_a_message_without_an_empty_line_has_no_body(which: str) -> None:
    assert not holds(f'require "body"; body {which} :contains ""', "Subject: x\n")
    assert holds(f'require "body"; body {which} :contains ""', "Subject: x\n\n")
    assert holds(f'require "body"; body {which} "only\n"', "\nonly\n")


def test_wildcards_set_no_match_variables() -> None:
    script = """require ["body", "variables", "fileinto"];
        if header :matches "subject" "* have*" { if body :raw :matches "*anvil*" { fileinto "${1}"; } }"""
    assert [getattr(action, "mailbox", None) for action in done(script)] == ["I"]


def test_parts_are_looked_at_up_to_a_limit() -> None:
    message = f"Subject: x\n\n{'a' * 1000}needle"
    limits = Limits(part_octets=1000)
    for which in (":raw", ":text", ':content "text"'):
        script = f'require "body"; if body {which} :contains "needle" {{ discard; }} else {{ keep; }}'
        assert outcome(script, message, limits=limits).actions == (Keep(),)


def test_large_bodies_cost() -> None:
    script = 'require "body"; if body :raw :contains "x" { discard; }' + 'if body :raw :contains "y" {}' * 30
    found = outcome(script.replace("}if", "}\nif"), f"A: b\n\n{'a' * 20_000}", limits=Limits(steps=2000))
    assert "more than 2000 steps" in found.fault


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("body", "requires "),
        ("body 3", "expects a string"),
        ('body "a" "b"', "one argument too many"),
        ('body :content "a"', "requires "),
        ('body :content :raw "a"', "needs"),
        ('body :content "a" :raw "b"', "together with"),
        ('body :frop "a"', "unknown tagged argument"),
    ],
)
def test_faults(test: str, says: str) -> None:
    (fault,) = faults(f'require "body"; if {test} {{}}')
    assert says in fault
