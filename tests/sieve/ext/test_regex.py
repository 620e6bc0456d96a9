"""`:regex`: what it finds, what it puts into match variables, and that no expression takes long."""

import time

import pytest

from mailstack.sieve.actions import FileInto
from tests.support.sieve import done, faults, holds, outcome

TAILS = ["ABCDEFGHIJKLMNOPQR"[at:] for at in range(18)]
REQUIRE = 'require ["regex", "variables", "fileinto"]'


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('header :regex "subject" "^i have .* for you$"', True),
        ('header :regex :comparator "i;octet" "subject" "^i have"', False),
        ('header :regex "subject" ["nothing", "(present|gift)"]', True),
        ('header :regex "subject" "^present"', False),
        ('address :regex :domain "from" "^desert\\\\.example\\\\.(org|com)$"', True),
        ('header :regex "subject" "[[:digit:]]"', False),
        ('string :regex "gr\u00fc\u00dfe" "^gr.\u00dfe$"', True),
        ('string :regex "a\r\nb" "a.*b"', True),
    ],
)
def test_regex(test: str, expected: bool) -> None:
    assert holds(f"{REQUIRE}; {test}") is expected


def test_groups_become_match_variables() -> None:
    script = (
        f'{REQUIRE}; if header :regex "subject" "([a-z]+) for (you)(x)?" {{ fileinto "${{0}}:${{1}}:${{2}}:${{3}}"; }}'
    )
    assert done(script) == [FileInto(mailbox="present for you:present:you:")]


def test_the_longest_match_counts() -> None:
    script = f'{REQUIRE}; if string :regex "xyz" "x|xy|xyz" {{ fileinto "${{0}}"; }}'
    assert done(script) == [FileInto(mailbox="xyz")]


def test_quoteregex() -> None:
    script = f'{REQUIRE}; set :quoteregex "a" "a.b*[x]|y"; if string :regex "a.b*[x]|y" "^${{a}}$" {{ discard; }}'
    assert len(done(script)) == 1
    assert "discard" in type(done(script)[0]).__name__.lower()


@pytest.mark.parametrize("expression", ["(a", "[a", "a{1001}", "(a{1000}){1000}", "\\\\1", "*"])
def test_what_is_no_expression(expression: str) -> None:
    (fault,) = faults(f'require "regex"; if header :regex "subject" "{expression}" {{}}')
    assert "no regular expression" in fault


def test_what_becomes_no_expression_at_run_time_ends_the_run() -> None:
    script = f'{REQUIRE}; set "a" "("; if string :regex "x" "${{a}}" {{ discard; }}'
    assert "no regular expression" in outcome(script).fault


def test_no_expression_takes_long() -> None:
    # With an engine that tries again from each place, either of them outlives the test.
    for expression in ("(a+)+$", "(a|a)*$", "(.*)(.*)(.*)(.*)(.*)[b-z]$"):
        assert not holds(f'{REQUIRE}; header :regex "x-long" "^{expression}"', f"X-Long: {'a' * 50_000}!\n\n")


def test_a_large_expression_over_a_long_text_is_paid_for() -> None:
    # Such an automaton takes a third of a second for each match.
    parts = "".join(f"({'|'.join(f'({letters[:end]})' for end in range(1, len(letters) + 1))})?" for letters in TAILS)
    text = "ABCDEFGHIJKLMNOPQR" * 14
    script = f'require ["regex", "variables"]; set "t" "{text}"; set "t" "${{t}}${{t}}${{t}}${{t}}${{t}}${{t}}${{t}}";'
    script += 'set "t" "${t}${t}${t}${t}${t}${t}${t}${t}";'
    script += f'if string :regex "${{t}}@" "^({parts})+@$" {{ keep; }}' * 50
    began = time.process_time()
    assert "steps" in outcome(script).fault
    assert time.process_time() - began < 10  # ten times what it takes
