"""RFC 5229, by its examples."""

import pytest

from mailstack.sieve.actions import FileInto
from mailstack.sieve.limits import Limits
from tests.support.sieve import done, faults, holds, outcome

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
        ('set "a" "${99999}";', "not so many match variables"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f'require "variables"; {script}')
    assert says in fault


def test_variables_that_grow_without_end_are_cut() -> None:
    doubled = 'set "a" "${a}${a}";' * 200
    found = outcome(f'{REQUIRE} set "a" "0123456789"; {doubled} set :length "found" "${{a}}"; fileinto "${{found}}";')
    assert found.actions == (FileInto(mailbox=str(Limits().variable_characters)),)


def test_there_are_not_more_variables_than_may_be() -> None:
    script = REQUIRE + "".join(f'set "a{number}" "";' for number in range(300))
    assert "more than 256 variables" in outcome(script).fault
