"""RFC 5229, by its examples."""

import tracemalloc

import pytest

from mailstack.sieve.actions import FileInto, Keep
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Mail, Outcome, run
from tests.support.sieve import compiled, done, faults, holds, outcome

REQUIRE = 'require ["variables", "fileinto"];'


def value(
    script: str,
    message: str = "Subject: [acme-users] [fwd] version 1.0 is out\nList-ID: Dave Bickler <dave.example>\n\n",
) -> str:
    """Of the variable `found`, which is put into a mailbox's name."""
    (action,) = done(f'{REQUIRE} {script} fileinto "=${{found}}";', message)
    assert isinstance(action, FileInto)
    return action.mailbox.removeprefix("=")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('set "found" "a";', "a"),
        ('set "FOUND" "a";', "a"),
        ('set "a" "x"; set "found" "${a}${A}-${b}";', "xx-"),
        # RFC 5229 §3: what has another form stays as it is.
        ('set "found" "${a b}${}$${2a}{x}${a";', "${a b}${}$${2a}{x}${a"),
        ('set "a" "${"; set "found" "${a}b}";', "${b}"),
        ('set "found" "&%${}!";', "&%${}!"),
        ('set "company" "ACME"; set "found" "${President, ${Company} Inc.}";', "${President, ACME Inc.}"),
        # RFC 5229 §4.1.
        ('set "a" "juMBlEd lETteRS"; set :length "found" "${a}";', "15"),
        ('set "a" "juMBlEd lETteRS"; set :lower "found" "${a}";', "jumbled letters"),
        ('set "a" "juMBlEd lETteRS"; set :upperfirst "found" "${a}";', "JuMBlEd lETteRS"),
        ('set "a" "juMBlEd lETteRS"; set :upperfirst :lower "found" "${a}";', "Jumbled letters"),
        ('set :quotewildcard "found" "Rock*?\\\\";', "Rock\\*\\?\\\\"),
        ('set :length :quotewildcard "found" "a*";', "3"),
        # RFC 5229 §3.2.
        ('if header :matches "List-ID" "*<*@*" { set "found" "no"; } else { set "found" "yes"; }', "yes"),
        (
            'if header :matches "Subject" "[*] *" { set "found" "${1}:${2}:${0}"; }',
            "acme-users:[fwd] version 1.0 is out:[acme-users] [fwd] version 1.0 is out",
        ),
        (
            'if header :matches "subject" "*" {} if header :matches "subject" "x*" {} set "found" "${1}";',
            "[acme-users] [fwd] version 1.0 is out",
        ),
        (
            'if header :matches "subject" "*" {} if header :contains "subject" "fwd" {} set "found" "${1}";',
            "[acme-users] [fwd] version 1.0 is out",
        ),
        ('if header :matches "subject" "?cme" {} set "found" "${1}${9}";', ""),
    ],
)
def test_values(script: str, expected: str) -> None:
    assert value(script) == expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('string "" ""', True),
        ('string :matches "${none}" ["", "b"]', True),
        ('string ["a", "b"] "B"', True),
        ('string :contains "abc" "z"', False),
    ],
)
def test_string(test: str, expected: bool) -> None:
    assert holds(f'require "variables"; {test}') is expected


def test_an_empty_string_is_not_counted() -> None:
    require = 'require ["variables", "relational", "comparator-i;ascii-numeric"]'
    assert holds(f'{require}; string :count "eq" :comparator "i;ascii-numeric" ["a", "", "${{none}}", "b"] "2"')


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('set "1" "a";', "is no name of a variable"),
        ('set "a.b" "a";', "is no name of a variable"),
        ('set "${a}" "a";', "must be known beforehand"),
        ('set :lower :upper "a" "b";', "together with ':lower'"),
        ('keep; set "a" "${foo.bar}";', "no namespace 'foo'"),
        ('set "a" "${100}";', "there are match variables up to 99"),
        ('set "a" "${99999999999999999999}";', "there are match variables up to 99"),
        (f'set "{"a" * 65}" "b";', "a name of more than 64 characters"),
        ("".join(f'set "a{number}" "";' for number in range(300)), "more than 256 variables"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f'require "variables"; {script}')
    assert says in fault


def test_variables_that_grow_without_end_are_cut() -> None:
    doubled = 'set "a" "${a}${a}";' * 200
    found = outcome(f'{REQUIRE} set "a" "0123456789"; {doubled} set :length "found" "${{a}}"; fileinto "${{found}}";')
    assert found.actions == (FileInto(mailbox=str(Limits().variable_octets)),)


def test_there_are_not_more_variables_than_may_be() -> None:
    flags = "".join(f'setflag "a{number}" "b";' for number in range(300))
    script = f'require "imap4flags"; {REQUIRE} {flags}'
    assert "more than 256 variables" in outcome(script).fault


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # RFC 5229 §6: cut between two characters, and not within what stands for one.
        ('set "found" "abcd\u00e9f"; set "a" "${found}"; set "found" "${a}";', "abcd"),
        ('set :quotewildcard "found" "abcd*";', "abcd"),
        ('set :quotewildcard "found" "*?*";', "\\*\\?"),
        ('set :upper "found" "abc\u00df\u00df";', "ABCSS"),
        ('set :encodeurl "found" "a@@";', "a%40"),
        ('set :encodeurl "found" "\u4e03";', ""),
        ('set :encodeurl :upper "found" "abc@d";', "ABC"),
        ('set :length "found" "abcdefgh";', "8"),
        ('set "a" "abcdef"; set "found" "${a}"; set :length "found" "${a}${a}";', "10"),
    ],
)
def test_where_values_are_cut(script: str, expected: str) -> None:
    found = outcome(
        f'require ["variables", "enotify", "imap4flags"]; {script} keep :flags "=${{found}}";',
        limits=Limits(variable_octets=5, expanded_octets=10),
    )
    assert found.actions == (Keep(flags=(f"={expected}",)),)


def test_a_short_string_of_a_long_variable_takes_no_memory() -> None:
    script = f'{REQUIRE} set "a" "{"x" * 16_000}"; set "b" "{"${a}" * 100_000}"; fileinto "c";'
    compiled_ = compiled(script)
    tracemalloc.start()
    try:
        found = run(compiled_, Mail(raw=b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, Outcome)
    assert found.actions == (FileInto(mailbox="c"),)
    assert peak < 1_000_000
