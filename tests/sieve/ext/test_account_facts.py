"""Tests that ask the account or the server: RFC 5183, 5490, 6134, 8579, 9042."""

import pytest

from mailstack.sieve.actions import FileInto, Keep, Redirect
from mailstack.sieve.facts import (
    Fact,
    IsListed,
    ListExists,
    MailboxExists,
    MailboxIdExists,
    Metadata,
    SpecialUseExists,
    Wanted,
)
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Mail, run
from tests.support.sieve import MESSAGE, compiled, done, faults, holds, outcome, raw

FACTS: dict[Fact, object] = {
    MailboxExists("A"): True,
    MailboxExists("B"): False,
    MailboxIdExists("F1"): True,
    MailboxIdExists("F2"): False,
    SpecialUseExists("", "\\junk"): True,
    SpecialUseExists("A", "\\junk"): False,
    Metadata("A", "/private/comment"): "mine",
    Metadata("A", "/shared/comment"): None,
    Metadata("", "/shared/admin"): "mailto:a@b.example",
    ListExists(":addrbook:default"): True,
    ListExists("tag:none"): False,
    IsListed(":addrbook:default", "coyote@desert.example.org"): True,
    IsListed("tag:none", "coyote@desert.example.org"): False,
}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('"mailbox"; mailboxexists "A"', True),
        ('"mailbox"; mailboxexists ["A", "B"]', False),
        ('"mailboxid"; mailboxidexists "F1"', True),
        ('"mailboxid"; mailboxidexists ["F1", "F2"]', False),
        ('"special-use"; specialuse_exists "\\\\Junk"', True),
        ('"special-use"; specialuse_exists "A" ["\\\\Junk"]', False),
        ('"mboxmetadata"; metadata "A" "/private/comment" "mine"', True),
        ('"mboxmetadata"; metadata :contains "A" "/shared/comment" ""', False),
        ('"mboxmetadata"; metadataexists "A" ["/private/comment", "/shared/comment"]', False),
        ('"servermetadata"; servermetadata :contains "/shared/admin" "b.example"', True),
        ('"servermetadata"; servermetadataexists "/shared/admin"', True),
        ('"extlists"; address :list "from" ":addrbook:default"', True),
        ('"extlists"; address :list "from" ["tag:none", ":addrbook:default"]', True),
        ('"extlists"; address :list "from" "tag:none"', False),
        ('"extlists"; valid_ext_list ":addrbook:default"', True),
        ('"extlists"; valid_ext_list [":addrbook:default", "tag:none"]', False),
        ('"environment"; environment "name" "mailstack"', True),
        ('"environment"; environment :contains "remote-host" ""', True),
        ('"environment"; environment :contains "vnd.none" ""', False),
    ],
)
def test_facts(test: str, expected: bool) -> None:
    environment = {"name": "mailstack", "remote-host": ""}
    assert holds(f"require {test}", facts=FACTS, environment=environment) is expected


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        ('require ["fileinto", "mailbox"]; fileinto :create "A";', [FileInto(mailbox="A", create=True)]),
        (
            'require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Junk" "A";',
            [FileInto(mailbox="A", special_use="\\Junk")],
        ),
        ('require ["fileinto", "mailboxid"]; fileinto :mailboxid "F1" "A";', [FileInto(mailbox="A", mailbox_id="F1")]),
        ('require "extlists"; redirect :list ":addrbook:default";', [Redirect(list_name=":addrbook:default")]),
        (
            'require ["extlists", "copy"]; redirect :copy :list "tag:a";',
            [Redirect(list_name="tag:a"), Keep(is_implicit=True)],
        ),
    ],
)
def test_actions(script: str, actions: list[object]) -> None:
    assert done(script) == actions


def test_a_list_puts_what_it_holds_into_a_match_variable() -> None:
    script = 'if address :list "from" ":addrbook:default" { fileinto "${0}"; }'
    assert done(f'require ["extlists", "variables", "fileinto"]; {script}', facts=FACTS) == [
        FileInto(mailbox="coyote@desert.example.org")
    ]


def test_what_is_not_known_yet_is_asked_for_and_the_run_begins_again() -> None:
    script = compiled('require ["mailbox", "fileinto"]; if mailboxexists ["A", "B"] { fileinto "A"; }')
    mail = Mail(raw=raw(MESSAGE))
    first = run(script, mail)
    assert isinstance(first, Wanted)
    assert first.fact == MailboxExists("A")
    second = run(script, mail, {first.fact: True})
    assert isinstance(second, Wanted)
    assert second.fact == MailboxExists("B")


def test_not_more_is_looked_up_than_may_be() -> None:
    script = 'require "mailbox"; if mailboxexists "A" {} if mailboxexists "Z" {}'
    found = outcome(script, facts={MailboxExists("A"): True}, limits=Limits(facts=1))
    assert "more than 1 things were looked up" in found.fault


def test_a_mailbox_is_named_in_one_way() -> None:
    (fault,) = faults(
        'require ["fileinto", "special-use", "mailboxid"]; fileinto :specialuse "\\\\Junk" :mailboxid "F" "A";'
    )
    assert "together with ':specialuse'" in fault


@pytest.mark.parametrize("use", ["Junk", "\\\\Ju nk", "\\\\J\u00fcnk", "\\\\", ""])
@pytest.mark.parametrize(
    "script",
    [
        'fileinto :specialuse "USE" "A";',
        'if specialuse_exists "USE" {}',
        'if specialuse_exists "A" ["\\\\Sent", "USE"] {}',
        'vacation :fcc "A" :specialuse "USE" "x";',
    ],
)
def test_what_no_mailbox_is_for_is_a_fault(script: str, use: str) -> None:
    (fault,) = faults(f'require ["fileinto", "special-use", "vacation", "fcc"]; {script.replace("USE", use)}')
    assert "is no special use of a mailbox" in fault
