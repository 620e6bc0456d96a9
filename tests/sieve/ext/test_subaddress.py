"""`:user` and `:detail`, with the separators that a domain has. RFC 5233."""

import pytest

from tests.support.sieve import holds

MESSAGE = "From: ken+sieve-list@example.org\nTo: ken@example.org\nCc: ken-@example.org\n\n"


@pytest.mark.parametrize(
    ("test", "separator", "expected"),
    [
        ('address :user "from" "ken"', "+", True),
        ('address :detail "from" "sieve-list"', "+", True),
        ('address :detail "from" "sieve-list"', "-+", True),
        ('address :user "from" "ken+sieve"', "-", True),
        ('address :detail "from" "list"', "-", True),
        ('address :user "from" "ken+sieve-list"', "", True),
        ('address :detail "from" ""', "", False),
        ('address :detail "to" ""', "+", False),
        ('address :detail "cc" ""', "]^-", True),
    ],
)
def test_parts(test: str, separator: str, expected: bool) -> None:
    assert holds(f'require "subaddress"; {test}', MESSAGE, separator=separator) is expected
