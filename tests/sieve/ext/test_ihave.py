"""RFC 5463, by its examples."""

import pytest

from mailstack.sieve.actions import Discard, FileInto, Keep
from tests.support.sieve import done, faults, outcome

KEPT = Keep(is_implicit=True)


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        ('if ihave "fileinto" { fileinto "A"; }', [FileInto(mailbox="A")]),
        ('if allof(ihave "fileinto", true) { fileinto "A"; }', [FileInto(mailbox="A")]),
        ('if not ihave "fileinto" { nonsense; } else { fileinto "A"; }', [FileInto(mailbox="A")]),
        ('if not ihave "fileinto" { nonsense; } fileinto "A";', [FileInto(mailbox="A")]),
        ('if ihave ["fileinto", "copy"] { fileinto :copy "A"; }', [FileInto(mailbox="A"), KEPT]),
        # What is not there may be in the script, where it is never reached.
        ('if ihave "vnd.none" { nonsense :a; } else { discard; }', [Discard()]),
        ('if ihave ["fileinto", "vnd.none"] { nonsense; }', [KEPT]),
        ('if allof(ihave "vnd.none", nonsense "x") { nonsense; } else { discard; }', [Discard()]),
        ('if anyof(ihave "vnd.none", true) { discard; }', [Discard()]),
        ('if anyof(ihave "fileinto", nonsense) { discard; }', [Discard()]),
        ('if false { keep; } elsif ihave "vnd.none" { nonsense; } else { discard; }', [Discard()]),
        ('if not ihave "vnd.none" { discard; }', [Discard()]),
    ],
)
def test_ihave(script: str, actions: list[object]) -> None:
    assert done(f'require "ihave"; {script}') == actions


def test_what_is_guarded_by_what_there_is_must_be_right() -> None:
    (fault,) = faults('require "ihave"; if ihave "fileinto" { fileinto; }')
    assert "requires " in fault


def test_error_ends_the_run_and_keeps_the_mail() -> None:
    found = outcome('require ["ihave", "variables"]; discard; set "a" "x"; error "no ${a}"; keep;')
    assert (found.actions, found.fault) == ((KEPT,), "the script says: no x")


def test_what_changes_strings_cannot_be_had_on_condition() -> None:
    for name in ("variables", "encoded-character"):
        assert done(f'require "ihave"; if ihave "{name}" {{ discard; }}') == [Keep(is_implicit=True)]
