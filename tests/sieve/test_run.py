"""Runs: RFC 5228's actions, its tests of headers and the envelope, and what ends a run early."""

import pytest

from mailstack.sieve.actions import Discard, FileInto, Keep, Redirect
from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Mail, Outcome, SieveEnvelope, run
from tests.support.sieve import done, holds, outcome

KEPT = Keep(is_implicit=True)


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        ("", [KEPT]),
        ("keep;", [Keep()]),
        ("keep; keep;", [Keep()]),
        ('require "fileinto"; keep; fileinto "inbox"; fileinto "A";', [Keep(), FileInto(mailbox="A")]),
        ('require "fileinto"; fileinto "INBOX"; keep;', [FileInto(mailbox="INBOX")]),
        (
            'require ["fileinto", "imap4flags"]; fileinto :flags "a" "A"; keep :flags "b"; fileinto :flags "c" "A";',
            [FileInto(mailbox="A", flags=("c",)), Keep(flags=("b",))],
        ),
        (
            'require ["fileinto", "mailbox"]; fileinto :create "A"; fileinto "A";',
            [FileInto(mailbox="A", create=True)],
        ),
        ("discard;", [Discard()]),
        ("discard; keep;", [Discard(), Keep()]),
        ("stop; discard;", [KEPT]),
        ("if true { stop; } discard;", [KEPT]),
        ("if false { discard; }", [KEPT]),
        ("if false { keep; } elsif true { discard; } else { keep; }", [Discard()]),
        ("if false { keep; } elsif false { keep; } else { discard; }", [Discard()]),
        ("if true { discard; } elsif true { keep; }", [Discard()]),
        ("if anyof(false, not true, allof(true, not false)) { discard; }", [Discard()]),
        ('redirect "a@b.example";', [Redirect(address="a@b.example")]),
        ('require "fileinto"; fileinto "A";', [FileInto(mailbox="A")]),
        (
            'require "fileinto"; fileinto "A"; fileinto "A"; fileinto "B";',
            [FileInto(mailbox="A"), FileInto(mailbox="B")],
        ),
        ('require ["fileinto", "copy"]; fileinto :copy "A";', [FileInto(mailbox="A"), KEPT]),
        ('require ["fileinto", "copy"]; discard; fileinto :copy "A";', [Discard(), FileInto(mailbox="A")]),
        ('require "copy"; redirect :copy "a@b.example";', [Redirect(address="a@b.example"), KEPT]),
    ],
)
def test_actions(script: str, actions: list[object]) -> None:
    assert done(script) == actions


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('exists "subject"', True),
        ('exists ["subject", "x-none"]', False),
        ('header :contains "subject:" ""', False),
        ('exists "subject:"', False),
        ("size :over 150", True),
        ("size :under 1K", True),
        ("size :over 1K", False),
        ('address "from" "coyote@desert.example.org"', True),
        ('address :domain "from" "desert.example.org"', True),
        ('address :localpart ["to", "cc"] "roadrunner"', True),
        ('address :all :contains "from" "Coyote <"', False),
        ('require "envelope"; envelope "from" "coyote@desert.example.org"', True),
        ('require "envelope"; envelope :domain "to" "acme.example.com"', True),
        ('require "envelope"; envelope ["to", "from"] "nobody@example.com"', False),
    ],
)
def test_tests(test: str, expected: bool) -> None:
    assert holds(test) is expected


@pytest.mark.parametrize("size", [99, 100, 101])
def test_a_message_of_the_very_size_is_neither_over_nor_under(size: int) -> None:
    message = "Subject: x\n\n"
    message += "a" * (size - len(message) - 2)
    assert holds("size :over 100", message) is (size > 100)
    assert holds("size :under 100", message) is (size < 100)


@pytest.mark.parametrize(
    ("field", "test", "expected"),
    [
        ("Subject:   spaces around \t", 'header "subject" "spaces around"', True),
        ("Subject: in two\n\tlines", 'header "subject" "in two\tlines"', True),
        ("Subject: =?iso-8859-1?Q?gr=FC=DFe?=", 'header "subject" "gr\u00fc\u00dfe"', True),
        ("From: a@b.example, C <d@e.example>", 'address :domain "from" "e.example"', True),
        ('From: "a b"@c.example', 'address :localpart "from" "a b"', True),
        ("To: friends: a@b.example, c@d.example;", 'address :domain "to" "d.example"', True),
        ("To: undisclosed-recipients:;", 'address :contains "to" ""', False),
    ],
)
def test_fields(field: str, test: str, expected: bool) -> None:
    assert holds(test, f"{field}\n\n") is expected


@pytest.mark.parametrize(
    "test", ['envelope :all :is "from" ""', 'envelope :domain "from" ""', 'envelope :localpart "from" ""']
)
def test_the_null_path_is_an_empty_string(test: str) -> None:
    # RFC 5228 §5.4.

    assert holds(f'require "envelope"; {test}', envelope=SieveEnvelope(sender="", recipient="a@b.example"))


@pytest.mark.parametrize(
    ("script", "limits", "says"),
    [
        ("keep;" * 20, Limits(steps=10), "more than 10 steps"),
        ('if header :contains "x-long" ["a", "b"] {}' * 10, Limits(steps=100), "more than 100 steps"),
        ('redirect "N@b.example";', Limits(redirects=3), "more than 3 redirect actions"),
        (
            'require "enotify"; notify "mailto:N@b.example";',
            Limits(notifications=3),
            "more than 3 notify actions",
        ),
        ('require "fileinto"; fileinto "N";', Limits(actions=5), "more than 5 actions"),
    ],
)
def test_what_costs_too_much_ends_and_the_mail_is_kept(script: str, limits: Limits, says: str) -> None:
    head, _, repeated = script.rpartition("; ") if script.startswith("require") else ("", "", script)
    whole = f"{head};" * bool(head) + "".join(repeated.replace("N", f"a{number}") for number in range(10))
    found = outcome(whole, f"X-Long: {'x' * 3000}\n\n", limits=limits)
    assert says in found.fault
    assert found.actions == (KEPT,)


def test_a_trace_says_what_ran_and_what_tests_found() -> None:
    script = compile_script(b'if header "subject" "x" {\n  keep;\n}\ndiscard;', EXTENSIONS, is_traced=True)
    found = run(script, Mail(raw=b"Subject: x\r\n\r\n"))
    assert isinstance(found, Outcome)
    assert [(one.line, one.text) for one in found.trace] == [(1, "header: true"), (2, "keep"), (4, "discard")]
