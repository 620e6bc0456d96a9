"""What a plan warns of."""

from collections.abc import Sequence

import pytest

from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, Resource, Snapshot
from mailstack.reconcile.diff import diff
from mailstack.reconcile.safety import cautions
from mailstack.reconcile.wanted import Wanted


def account(name: str, *roles: str) -> Resource:
    return Resource(kind=Kind.ACCOUNT, name=name, fields={"roles": [*roles]})


def warned(live: Sequence[Resource], wanted: Sequence[Resource]) -> list[str]:
    held = {(item.kind, item.name): item for item in live}
    snapshot = Snapshot(generation=Generation(1), spec_hash="", resources=held)
    found = cautions(diff([Wanted(resource=item) for item in wanted], snapshot), snapshot)
    return [f"{item.subject}: {item.text}" for item in found]


def test_nothing_destroyed_is_nothing_to_warn_of() -> None:
    assert warned([account("a")], [account("a"), account("b")]) == []


def test_destroyed_accounts_are_named_and_their_mail_is_not_lost() -> None:
    (text,) = warned([account("a"), account("b")], [])
    assert text.startswith("accounts a, b: will be gone")
    assert text.endswith("the mail is kept in the storage's trash")


def test_many_are_counted() -> None:
    (text,) = warned([account(f"a{number}") for number in range(8)], [])
    assert text.startswith("accounts a0, a1, a2, a3, a4 and 3 more:")


def test_a_destroyed_domain_is_named() -> None:
    domain = Resource(kind=Kind.DOMAIN, name="example.com", fields={})
    assert warned([domain], []) == ["domain example.com: will be gone: mail to it is refused"]


@pytest.mark.parametrize(
    ("wanted", "is_warned"),
    [
        ([account("a", "admin")], False),
        ([account("a")], True),
        ([account("a"), account("b", "admin")], False),
        ([account("b", "admin")], False),
    ],
)
def test_the_last_administrator_is_missed(wanted: list[Resource], is_warned: bool) -> None:
    found = warned([account("a", "admin")], wanted)
    assert any("last administrator" in text for text in found) is is_warned


def test_a_server_without_administrators_is_not_nagged() -> None:
    assert warned([account("a")], [account("a"), account("b")]) == []
