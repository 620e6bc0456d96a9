"""RFC 5293, by its examples."""

from mmap import mmap
from time import process_time

import pytest

from mailstack.sieve.actions import FileInto, Keep, Redirect
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Mail, Outcome, run
from tests.support.sieve import compiled, done, faults, outcome, raw

REQUIRE = 'require ["editheader", "fileinto", "copy", "variables", "encoded-character", "body", "relational"];'
MESSAGE = """\
X-Hello: one
Subject: x
X-Hello:  Two\t
X-Hello: three
Received: by a

body
"""


def edited(script: str, message: str = MESSAGE) -> str:
    """The message that the implicit keep has, with LF."""
    (keep,) = done(f"{REQUIRE} {script}", message)
    assert isinstance(keep, Keep)
    assert keep.is_implicit
    return message if keep.raw is None else keep.raw[:].decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("script", "message", "expected"),
    [
        ('addheader "X-A" "b";', "C: d\n\ne", "X-A: b\nC: d\n\ne"),
        ('addheader :last "X-A" "b";', "C: d\n\ne", "C: d\nX-A: b\n\ne"),
        ('addheader "X-A" "b"; addheader "X-C" "d";', "", "X-C: d\nX-A: b\n"),
        ('addheader :last "X-A" "b";', "\nbody", "X-A: b\n\nbody"),
        ('addheader :last "X-A" "b";', "C: d", "C: d\nX-A: b\n"),
        ('addheader "X-A" "b\n  c\nd";', "\n", "X-A: b c d\n\n"),
        ('addheader "Subject" "gr\u00fcn";', "\n", "Subject: =?utf-8?b?Z3LDvG4=?=\n\n"),
        ('set "v" "a${hex:07}b"; addheader "X-A" "${v}";', "\n", "X-A: a b\n\n"),
        ('deleteheader "C";', "C: d\nE: f\nc: g\n\nh", "E: f\n\nh"),
        ('deleteheader "C";', "B: a\nC: d\n  e\nF: g\n\n", "B: a\nF: g\n\n"),
    ],
)
def test_edits(script: str, message: str, expected: str) -> None:
    assert edited(script, message) == expected


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ('"x-hello"', []),
        (':index 1 "X-Hello"', ["Two", "three"]),
        (':index 1 :last "X-Hello"', ["one", "Two"]),
        (':index 4 "X-Hello"', ["one", "Two", "three"]),
        ('"X-Hello" "two"', ["one", "three"]),
        (':contains "X-Hello" ["ne", "re"]', ["Two"]),
        (':comparator "i;octet" "X-Hello" "two"', ["one", "Two", "three"]),
        (':matches "X-Hello" "t*"', ["one"]),
        # The counting comes before the matching.
        (':index 1 :contains "X-Hello" "t"', ["one", "Two", "three"]),
        (':index 2 :last :contains "X-Hello" "t"', ["one", "three"]),
        (':matches "X-Hello"', []),
        ('"X-None"', ["one", "Two", "three"]),
    ],
)
def test_what_is_deleted(arguments: str, left: list[str]) -> None:
    message = edited(f"deleteheader {arguments};")
    assert [line.partition(":")[2].strip() for line in message.splitlines() if line.startswith("X-Hello")] == left
    assert message.endswith("Received: by a\n\nbody\n")


def test_each_edit_sees_those_before_it() -> None:
    assert edited('addheader "X-Hello" "World"; deleteheader :index 1 "X-Hello";') == MESSAGE
    left = edited('deleteheader :index 1 "X-Hello"; deleteheader :index 2 "X-Hello";')
    assert left == "Subject: x\nX-Hello:  Two\t\nReceived: by a\n\nbody\n"


def test_tests_see_edits() -> None:
    script = 'addheader "X" ""; if allof(header "x" "", size :over SIZE, body :raw "body\n") { discard; }'
    size = len(raw(MESSAGE)) + len("X:\r\n")
    assert done(f"{REQUIRE} {script.replace('SIZE', str(size - 1))}", MESSAGE) == done("discard;")
    assert done(f"{REQUIRE} {script.replace('SIZE', str(size))}", MESSAGE) != done("discard;")


@pytest.mark.parametrize("name", ["Received", "auto-submitted"])
def test_protected_fields_stay_and_nothing_is_said(name: str) -> None:
    message = f"{name}: by a\n\nbody"
    assert edited(f'deleteheader "{name}";', message) == message
    assert edited(f'deleteheader :contains "{name}" "a";', message) == message


def test_actions_have_the_message_as_it_was_then() -> None:
    script = 'fileinto "A"; addheader "X" "1"; fileinto "B"; addheader "X" "2"; redirect "a@b.example";'
    before, one, two = "S: t\n\n", "X: 1\nS: t\n\n", "X: 2\nX: 1\nS: t\n\n"
    assert done(f"{REQUIRE} {script}", before) == [
        FileInto(mailbox="A"),
        FileInto(mailbox="B", raw=raw(one)),
        Redirect(address="a@b.example", raw=raw(two)),
    ]


def test_an_edited_message_is_still_the_same_message() -> None:
    # RFC 5293 §7.
    assert done(f'{REQUIRE} keep; addheader "X-Flavor" "vanilla"; keep;') == [Keep()]


def test_a_fault_keeps_the_message_as_it_came() -> None:
    found = outcome(f'{REQUIRE} addheader "X" "y"; set "n" "a b"; addheader "${{n}}" "z";', MESSAGE)
    assert "the field name 'a b' is invalid" in found.fault
    assert found.actions == (Keep(is_implicit=True),)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('addheader "X:" "a";', "the field name 'X:' is invalid"),
        ('addheader "X y" "a";', "the field name 'X y' is invalid"),
        ('addheader "\u00e4" "a";', "is invalid"),
        ('addheader "X" "a${hex:00}";', "of a field is invalid"),
        (f'addheader "X" "{"a" * 4096}";', "a field of more than 4096 bytes"),
        ('addheader "X" "${hex:07}";', "the value '\\x07' of a field is invalid"),
        ('addheader "X";', "requires "),
        ('addheader "X" 2;', "expects a string"),
        ('addheader :first "X" "y";', "unknown tagged argument"),
        ('deleteheader "X:";', "the field name 'X:' is invalid"),
        ('deleteheader :last "X";', "the :last tag cannot be specified without"),
        ('deleteheader :index 0 "X";', "counts from 1"),
        ('deleteheader :index "1" "X";', "expects a number"),
        ('deleteheader "X" 1;', "expects a string"),
        ("deleteheader;", "requires "),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f"{REQUIRE} {script}")
    assert says in fault


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('set "v" "a${hex:00}"; addheader "X" "${v}";', "of a field is invalid"),
        ('set "n" "X:"; deleteheader "${n}";', "the field name 'X:' is invalid"),
        (f'set "v" "{"a" * 4096}"; addheader "X" "${{v}}";', "a field of more than 4096 bytes"),
        ('addheader "X" "a";' * 20, "more than 100 bytes were written"),
    ],
)
def test_faults_of_runs(script: str, says: str) -> None:
    found = outcome(f"{REQUIRE} {script}", limits=Limits(written_octets=100))
    assert says in found.fault
    assert found.actions == (Keep(is_implicit=True),)


def test_a_field_may_have_as_much_as_the_standard_asks_for() -> None:
    value = "ab " * 330
    assert edited(f'addheader "X" "{value}";', "\n").replace("\n", "").startswith(f"X: {value.strip()}")


def test_many_edits_of_a_large_mapped_message_do_not_copy_it() -> None:
    head = b"Subject: x\r\n\r\n"
    with mmap(-1, 50_000_000) as mapped:
        mapped[: len(head)] = head
        edits = "".join(f'addheader :last "X-{number}" "a";' for number in range(200))
        script = compiled(f"{REQUIRE} {edits} keep;")
        started = process_time()
        found = run(script, Mail(raw=mapped))
        assert isinstance(found, Outcome)
        (keep,) = found.actions
        assert isinstance(keep, Keep)
        assert isinstance(keep.raw, bytes)
        # 200 copies of it would take seconds.
        assert process_time() - started < 1
        assert len(keep.raw) == 50_000_000 + sum(len(f"X-{number}: a\r\n") for number in range(200))
        del found, keep
