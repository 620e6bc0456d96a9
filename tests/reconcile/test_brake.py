"""What holds mail goes only by name."""

from collections.abc import Collection, Sequence

import pytest

from mailstack.model.errors import Forbidden, Invalid
from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, Resource, Snapshot
from mailstack.reconcile.brake import NAMED, Brake, allowed_name, brake_warnings, nobody, refuse
from mailstack.reconcile.diff import Step, diff

DOMAIN = "example.com"
ALICE, BOB = "alice@example.com", "bob@example.com"


def destroying(*names: str) -> tuple[Step, ...]:
    kinds = {name: Kind.ACCOUNT if "@" in name else Kind.DOMAIN for name in names}
    held = {(kind, name): Resource(kind=kind, name=name, fields={}) for name, kind in kinds.items()}
    return diff((), Snapshot(generation=Generation(1), spec_hash="", resources=held))


def brake(holders: Collection[str], *allowed: str) -> Brake:
    async def asked(logins: Sequence[str]) -> Collection[str]:
        return [login for login in logins if login in holders]

    return Brake(holders=asked, allowed=allowed)


@pytest.mark.parametrize(
    ("gone", "holders", "allowed", "held"),
    [
        ((ALICE,), (), (), ()),
        ((ALICE,), (ALICE,), (), (ALICE,)),
        ((ALICE,), (ALICE,), (ALICE,), ()),
        ((ALICE, BOB), (ALICE, BOB), (ALICE,), (BOB,)),
        ((ALICE, BOB), (BOB,), (ALICE,), (BOB,)),
        # A domain that goes stands for its accounts; one that stays does not.
        ((DOMAIN, ALICE, BOB), (ALICE, BOB), (), (DOMAIN,)),
        ((DOMAIN, ALICE, BOB), (ALICE, BOB), (DOMAIN,), ()),
        ((DOMAIN, ALICE, BOB), (ALICE, BOB), (ALICE, BOB), (DOMAIN,)),
        ((ALICE,), (ALICE,), (DOMAIN,), (ALICE,)),
        ((DOMAIN,), (), (), ()),
        ((DOMAIN, "carol@other.example"), ("carol@other.example",), (DOMAIN,), ("carol@other.example",)),
        # Nobody who stays is asked about.
        ((ALICE,), (BOB,), (), ()),
    ],
)
async def test_held(gone: Sequence[str], holders: Sequence[str], allowed: Sequence[str], held: Sequence[str]) -> None:
    assert await brake(holders, *allowed).held(destroying(*gone)) == tuple(held)


async def test_the_sandbox_holds_nothing() -> None:
    assert await Brake(holders=nobody).held(destroying(ALICE)) == ()


def test_the_refusal_is_a_command_that_can_be_pasted() -> None:
    with pytest.raises(Forbidden) as raised:
        refuse((ALICE, "o'neil@example.com"), "my spec.yaml")
    told = (
        """mailstack apply --allow-destroy alice@example.com --allow-destroy 'o'"'"'neil@example.com' 'my spec.yaml'"""
    )
    assert raised.value.detail.endswith(told)
    assert raised.value.detail.startswith(f"nothing was changed: this would destroy {ALICE}, o'neil@example.com, with")


def test_nothing_held_is_nothing_refused() -> None:
    refuse((), "spec.yaml")
    assert brake_warnings(()) == ()


def test_many_are_counted() -> None:
    names = [f"a{number}@example.com" for number in range(NAMED + 5)]
    with pytest.raises(Forbidden, match=" and 5 more"):
        refuse(names, "spec.yaml")
    assert len(brake_warnings(names)) == NAMED


def test_the_plan_says_what_apply_will_ask_for() -> None:
    (warning,) = brake_warnings((ALICE,))
    assert warning.subject == ALICE
    assert "--allow-destroy alice@example.com" in warning.text


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Alice@Example.COM", ALICE), ("EXAMPLE.com.", DOMAIN), ("bücher.example", "xn--bcher-kva.example")],
)
def test_names_are_taken_as_people_type_them(typed: str, name: str) -> None:
    assert allowed_name(typed) == name


@pytest.mark.parametrize("typed", ["", "@", "a b@example.com", "-.example"])
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        allowed_name(typed)
