"""RFC 5703 §5, by its examples."""

import pytest

from mailstack.formats.mime import scan
from mailstack.sieve.actions import Keep
from mailstack.sieve.limits import Limits
from tests.support.sieve import done, faults, outcome

REQUIRE = 'require ["replace", "foreverypart", "mime", "variables", "body", "editheader"];'
MESSAGE = """\
From: Sender <a@b.example>
Subject: old
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

before
--b
Content-Type: text/plain

one
--b
Content-Type: application/exe; name="a.exe"

MZ
--b
Content-Type: multipart/alternative; boundary=i

--i

two
--i

three
--i--
--b--
after
"""
EXECUTABLE = 'header :mime :contenttype :is "Content-Type" "application/exe"'


def edited(script: str, message: str = MESSAGE) -> str:
    (keep,) = done(f"{REQUIRE} {script}", message)
    assert isinstance(keep, Keep)
    assert keep.is_implicit
    return message if keep.raw is None else keep.raw[:].decode().replace("\r\n", "\n")


def test_a_part() -> None:
    # RFC 5703 §9.1.
    found = edited(f'foreverypart {{ if {EXECUTABLE} {{ replace "Executable attachment removed by user filter"; }} }}')
    old = 'Content-Type: application/exe; name="a.exe"\n\nMZ\n'
    assert found == MESSAGE.replace(
        old,
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\n"
        "Executable attachment removed by user filter\n",
    )


def test_a_multipart_and_all_its_parts() -> None:
    script = """foreverypart {
        if header :mime :subtype "content-type" "alternative" { replace :mime "Content-Type: text/x-gone\n\n-"; }
        elsif header :mime :type "content-type" "text" { replace "gr\u00fcn"; }
    }"""
    found = edited(script)
    assert "two" not in found
    assert found.count("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ngr\u00fcn\n") == 1
    assert "--b\nContent-Type: text/x-gone\n\n-\n--b--\nafter\n" in found


def test_loops_that_follow_see_what_is_there_now() -> None:
    script = """foreverypart { if header :mime :subtype "content-type" "alternative" {
            replace :mime "Content-Type: multipart/mixed; boundary=n\n\n--n\nX-New: 1\n\nnew\n--n--"; }
        if exists :mime "x-new" { set "early" "yes"; } }
    foreverypart { if exists :mime "x-new" { set "late" "${late}yes"; } }
    if allof (string "${early}" "", string "${late}" "yes", body :contains "new", not body :contains "two") { discard; }
    """
    assert done(f"{REQUIRE} {script}", MESSAGE) == done("discard;")


@pytest.mark.parametrize("loop", ["replace {0};", "foreverypart {{ replace {0}; break; }}"])
def test_the_whole_message(loop: str) -> None:
    found = edited(loop.format(':subject "gr\u00fcn" :from "Me <me@c.example>" "text\n"'))
    assert found == (
        "Original-From: Sender <a@b.example>\nOriginal-Subject: old\nSubject: =?utf-8?b?Z3LDvG4=?=\n"
        "From: Me <me@c.example>\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\ntext\n"
    )


def test_the_whole_message_by_a_mime_entity() -> None:
    found = edited('replace :mime "Content-Type: text/html\nX-Not: mine\n\n<p>x</p>";')
    assert found == "From: Sender <a@b.example>\nSubject: old\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>x</p>"
    assert edited('replace "x";', "A: b") == (
        "A: b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\nx"
    )


def test_edits_of_the_header_stay() -> None:
    found = edited('addheader "X-A" "1"; replace "x"; addheader "X-B" "2";', "C: d\n\ne")
    assert found.startswith("X-B: 2\nX-A: 1\nC: d\nMIME-Version")


@pytest.mark.parametrize("text", ["--b--\nno end", "x\n--i\ny", "a" * 1000])
def test_what_would_be_taken_for_structure_is_encoded(text: str) -> None:
    script = f'foreverypart {{ if {EXECUTABLE} {{ replace "{text}"; }} }}'
    found = edited(script)
    assert "Content-Transfer-Encoding: base64" in found
    assert len(scan(found.encode()).children) == 3
    check = f'foreverypart {{ if {EXECUTABLE} {{ replace "{text}"; }} }} if body :contains "{text}" {{ discard; }}'
    assert done(f"{REQUIRE} {check}", MESSAGE) == done("discard;")


def test_an_address_with_a_name_in_letters_that_mail_has_not() -> None:
    found = edited('replace :from "J\u00fcrgen <j@c.example>, k@d.example" "x";', "\n")
    assert found.startswith("From: =?utf-8?b?SsO8cmdlbg==?= <j@c.example>, <k@d.example>\n")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("replace;", "requires "),
        ('replace :from "nobody" "x";', "'nobody' is no list of addresses"),
        ('replace :from "a@b.example\nBcc: c@d.example" "x";', "holds a control character"),
        ('replace :subject 1 "x";', "expects a string"),
        ('replace :file "x";', "unknown tagged argument"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f"{REQUIRE} {script}")
    assert says in fault


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('set "a" "nobody"; replace :from "${a}" "x";', "'nobody' is no list of addresses"),
        (f'foreverypart {{ if {EXECUTABLE} {{ replace :mime "A: b\n\n--b\n"; }} }}', "holds a boundary of the message"),
        (f'replace "{"x" * 900}"; ', "more than 500 bytes were written"),
    ],
)
def test_faults_of_runs(script: str, says: str) -> None:
    found = outcome(f"{REQUIRE} {script}", MESSAGE, limits=Limits(written_octets=500))
    assert says in found.fault
    assert found.actions == (Keep(is_implicit=True),)
