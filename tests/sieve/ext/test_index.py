"""RFC 5260 §6."""

import pytest

from tests.support.sieve import faults, holds

MESSAGE = """\
X-Hop: third
X-Hop: second
To: a@one.example
X-Hop: first
To: b@two.example, c@three.example
Received: x; 1 Jan 2028 00:00 +0000
Received: y; 1 Jan 2020 00:00 +0000

"""


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('header :index 1 "x-hop" "third"', True),
        ('header :index 1 "x-hop" "first"', False),
        ('header :index 3 "x-hop" "first"', True),
        ('header :index 1 :last "x-hop" "first"', True),
        ('header :last :index 2 "x-hop" "second"', True),
        ('header :index 4 :contains "x-hop" ""', False),
        # A field, not an address.
        ('address :domain :index 2 "to" "three.example"', True),
        ('address :domain :index 1 "to" "three.example"', False),
        ('date :originalzone :index 2 "received" "year" "2020"', True),
        ('date :originalzone "received" "year" "2028"', True),
    ],
)
def test_index(test: str, expected: bool) -> None:
    assert holds(f'require ["index", "date"]; {test}', MESSAGE) is expected


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ('header :last "a" "b"', "the :last tag cannot be specified without"),
        ('header :index 0 "a" "b"', "counts from 1"),
        ('header :index "1" "a" "b"', "expects a number"),
        ('exists :index 1 "a"', "unknown tagged argument"),
    ],
)
def test_faults(test: str, says: str) -> None:
    (fault,) = faults(f'require "index"; if {test} {{}}')
    assert says in fault
