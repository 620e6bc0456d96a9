"""RFC 5051."""

import pytest

from mailstack.sieve.actions import Keep
from mailstack.sieve.limits import Limits
from tests.support.sieve import done, faults, holds, outcome

REQUIRE = 'require ["comparator-i;unicode-casemap", "relational", "variables", "imap4flags"];'


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (':is "T\u00c8ST" "t\u00e8st"', True),
        (':is "\u03a3\u03a3" "\u03c3\u03c2"', True),
        # Composed or not, of full width or not.
        (':is "e\u0301" "\u00c9"', True),
        (':is "\uff21" "a"', True),
        (':is "\u00e8" "e"', False),
        # RFC 5051 \u00a72 (a) goes by one character, and has no full case folding.
        (':is "stra\u00dfe" "STRASSE"', False),
        (':contains "a\u00c4b" "\u00e4B"', True),
        (':contains "a\u2167b" "AVI"', True),
        (':contains "a\u00e4b" "\u00f6"', False),
        (':matches "\u00dcber Gr\u00fcn" "\u00fcBER*N"', True),
        (':value "lt" "\u00e4a" "\u00c4b"', True),
        (':value "lt" "\u00c4b" "\u00e4a"', False),
    ],
)
def test_what_is_the_same(test: str, expected: bool) -> None:
    assert holds(f'{REQUIRE.removesuffix(";")}; string :comparator "i;unicode-casemap" {test}') is expected


@pytest.mark.parametrize(
    ("value", "pattern", "found"),
    [
        ("Gr\u00fc\u00df Gott", "gr*\u00df*", "\u00fc| Gott"),
        ("x\u2167y\u00e9z", "X*Y*z", "\u2167|\u00e9"),
        ("x\u2167y\u00e9z", "*Y??Z", "x\u2167|\u00e9"),
    ],
)
def test_wildcards_hold_what_the_value_has(value: str, pattern: str, found: str) -> None:
    test = f'string :comparator "i;unicode-casemap" :matches "{value}" "{pattern}"'
    script = f'{REQUIRE} if {test} {{ set "a" "${{1}}|${{2}}"; }} setflag "${{a}}"; keep;'
    assert done(script) == [Keep(flags=tuple(found.split()))]


def test_it_need_not_be_required() -> None:
    assert faults('if header :comparator "i;unicode-casemap" "a" "b" {}') == []


def test_what_it_costs_is_counted() -> None:
    test = 'header :comparator "i;unicode-casemap" :is "x-long" "a"'
    message = f"X-Long: {chr(0xE4) * 2560}\n\n"
    assert outcome(f"if {test} {{}}" * 10, message, limits=Limits(steps=3500)).fault == ""
    assert outcome(f"if {test} {{}}" * 20, message, limits=Limits(steps=3500)).fault != ""
    # Of keys that are made by the run, too.
    compared = 'if string :comparator "i;unicode-casemap" "" "${a}" {}' * 20
    keys = f'set "a" "{chr(0xE4) * 2560}"; {compared}'
    assert outcome(f"{REQUIRE} {keys}", limits=Limits(steps=3500)).fault != ""
