"""What SPEC.md has and this version does not: refused by name, and nothing that works is on the list."""

import pytest

from mailstack.spec.explain import type_at
from mailstack.spec.faults import Path
from mailstack.spec.model import Spec
from mailstack.spec.unsupported import _KEYS, _WORDS, is_key_of_later, is_word_of_later


@pytest.mark.parametrize(
    ("path", "is_later"),
    [
        (("lists",), True),
        (("server", "listeners", "managesieve"), True),
        (("accounts", "alice@example.com", "sieve"), True),
        (("routes", 3, "warmup"), True),
        (("tests", 0, "expect", "spam"), True),
        (("accounts", "sieve"), False),
        (("accounts", "alice@example.com", "quota"), False),
        (("server", "lists"), False),
        ((), False),
    ],
)
def test_keys(path: Path, is_later: bool) -> None:
    assert is_key_of_later(path) is is_later


def test_words() -> None:
    assert is_word_of_later(("server", "role"), "backup-mx")
    assert not is_word_of_later(("domains", "example.com", "dmarc", "policy"), "auto")
    assert not is_word_of_later(("tls", "issuer"), "files")
    assert not is_word_of_later(("tls", "issuer"), ["acme"])
    assert not is_word_of_later(("server", "hostname"), "acme")


@pytest.mark.parametrize("key", sorted(_KEYS), ids=".".join)
def test_no_key_of_later_works_already(key: tuple[str, ...]) -> None:
    assert type_at(Spec, key) is None


@pytest.mark.parametrize("key", sorted(_WORDS), ids=".".join)
def test_every_word_of_later_belongs_to_a_key_of_today(key: tuple[str, ...]) -> None:
    assert type_at(Spec, key) is not None
