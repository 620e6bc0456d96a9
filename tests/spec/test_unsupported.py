"""What SPEC.md has and this version does not: refused by name, and nothing that works is on the list."""

import pytest

from mailstack.spec.explain import type_at
from mailstack.spec.faults import Path
from mailstack.spec.model import Spec
from mailstack.spec.unsupported import _KEYS, is_key_of_later


@pytest.mark.parametrize(
    ("path", "is_later"),
    [
        (("backup",), True),
        (("accounts", "alice@example.com", "rules", 0, "if", "not", "spam"), False),
        (("accounts", "alice@example.com", "sieve"), False),
        (("routes", 3, "warmup"), False),
        (("tests", 0, "expect", "spam"), False),
        (("accounts", "sieve"), False),
        (("accounts", "alice@example.com", "quota"), False),
        (("server", "lists"), False),
        ((), False),
    ],
)
def test_keys(path: Path, is_later: bool) -> None:
    assert is_key_of_later(path) is is_later


@pytest.mark.parametrize("key", sorted(_KEYS), ids=".".join)
def test_no_key_of_later_works_already(key: tuple[str, ...]) -> None:
    assert type_at(Spec, key) is None
