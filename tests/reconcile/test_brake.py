"""What an apply stops at: mail, the last administrator, a third of ten or more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote

import pytest

from mailstack.model.errors import Forbidden, Invalid
from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, Operation, Resource, Snapshot
from mailstack.reconcile.brake import (
    EVERYTHING_ALLOWED,
    NAMED,
    Allowed,
    Brake,
    Planned,
    allowed_name,
    nobody,
    refuse,
)
from mailstack.reconcile.diff import Step, diff
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.plan import BrakeName, Change, Stop
from mailstack.reconcile.wanted import Wanted
from tests.support.plans import a_plan

DOMAIN = "example.com"
ALICE, BOB = "alice@example.com", "bob@example.com"


def destroying(*names: str) -> tuple[Step, ...]:
    kinds = {name: Kind.ACCOUNT if "@" in name else Kind.DOMAIN for name in names}
    held = {(kind, name): Resource(kind=kind, name=name, fields={}) for name, kind in kinds.items()}
    return diff((), Snapshot(generation=Generation(1), spec_hash="", resources=held))


def brake(holders: Collection[str], *allowed: str) -> Brake:
    async def asked(logins: Sequence[str]) -> Mapping[str, int]:
        return {login: 1 for login in logins if login in holders}

    return Brake(holders=asked, allowed=Allowed(destroy=allowed))


async def held(braking: Brake, *gone: str) -> list[str]:
    return [stop.subject for stop in await braking.stops(planned(destroying(*gone)))]


def planned(steps: Sequence[Step], live: Sequence[Resource] = ()) -> Planned:
    resources = {(item.kind, item.name): item for item in live}
    return Planned(steps=steps, live=Snapshot(generation=Generation(1), spec_hash="", resources=resources))


@pytest.mark.parametrize(
    ("gone", "holders", "allowed", "expected"),
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
async def test_mail_is_held(
    gone: Sequence[str], holders: Sequence[str], allowed: Sequence[str], expected: Sequence[str]
) -> None:
    assert await held(brake(holders, *allowed), *gone) == [*expected]


async def test_the_spec_can_allow_all_or_some_by_name() -> None:
    holding = brake((ALICE, BOB))
    assert await held(holding.releasing(False), ALICE, BOB) == [ALICE, BOB]
    assert await held(holding.releasing((ALICE,)), ALICE, BOB) == [BOB]
    assert await held(holding.releasing(True), ALICE, BOB) == []
    assert await held(brake((ALICE, BOB), BOB).releasing((ALICE,)), ALICE, BOB) == []


async def test_the_sandbox_holds_nothing() -> None:
    braking = Brake(holders=nobody, allowed=EVERYTHING_ALLOWED)
    accounts = [account(f"a{number}@example.com", "admin") for number in range(20)]
    assert await braking.stops(planned(diff((), snapshot(accounts)), accounts)) == ()


def stops_for(*names: str) -> list[Stop]:
    return [
        Stop(brake=BrakeName.MAIL, subject=name, text="would be destroyed", release=f"--allow-destroy {quote(name)}")
        for name in names
    ]


def test_the_refusal_is_a_command_that_can_be_pasted() -> None:
    with pytest.raises(Forbidden) as raised:
        refuse(stops_for(ALICE, "o'neil@example.com"), replace(a_plan(), spec_path="my spec.yaml").spec_arguments)
    told = (
        """mailstack apply --allow-destroy alice@example.com --allow-destroy 'o'"'"'neil@example.com' 'my spec.yaml'"""
    )
    assert raised.value.detail.endswith(told)
    assert raised.value.detail.startswith(f"nothing was changed: this would destroy {ALICE}, o'neil@example.com, with")


def test_nothing_held_is_nothing_refused() -> None:
    refuse((), "spec.yaml")


def test_many_are_counted() -> None:
    names = [f"a{number}@example.com" for number in range(NAMED + 5)]
    with pytest.raises(Forbidden, match=" and 5 more"):
        refuse(stops_for(*names), "spec.yaml")


def account(name: str, *roles: str) -> Resource:
    return Resource(kind=Kind.ACCOUNT, name=name, fields={"roles": [*roles]})


def snapshot(held: Sequence[Resource]) -> Snapshot:
    return Snapshot(generation=Generation(1), spec_hash="", resources={(item.kind, item.name): item for item in held})


@pytest.mark.parametrize(
    ("before", "after", "is_held"),
    [
        ([account("a", "admin")], [account("b", "admin")], False),
        ([account("a", "admin")], [account("a", "admin"), account("b")], False),
        ([account("a", "admin")], [account("a")], True),
        ([account("a", "admin"), account("b", "admin")], [account("c")], True),
        ([account("a")], [account("b")], False),
    ],
)
async def test_the_last_administrator_stays(before: list[Resource], after: list[Resource], is_held: bool) -> None:
    steps = diff([Wanted(resource=item) for item in after], snapshot(before))
    found = await Brake(holders=nobody).stops(planned(steps, before))
    assert [stop.brake for stop in found] == ([BrakeName.LAST_ADMIN] if is_held else [])
    assert await Brake(holders=nobody, allowed=Allowed(last_admin=True)).stops(planned(steps, before)) == ()


@pytest.mark.parametrize(
    ("there", "gone", "is_held"), [(9, 9, False), (10, 3, False), (10, 4, True), (100, 30, False), (100, 31, True)]
)
async def test_a_third_of_ten_or_more_goes_only_when_it_is_said(there: int, gone: int, is_held: bool) -> None:
    live = [account(f"a{number:03}") for number in range(there)]
    steps = diff([Wanted(resource=item) for item in live[gone:]], snapshot(live))
    found = await Brake(holders=nobody).stops(planned(steps, live))
    assert [stop.subject for stop in found] == ([f"{gone} of {there} accounts"] if is_held else [])
    assert await Brake(holders=nobody, allowed=Allowed(many=True)).stops(planned(steps, live)) == ()


async def test_another_kind_does_not_hide_a_share_nor_do_keys_count() -> None:
    live = [account(f"a{number}") for number in range(100)]
    live += [Resource(kind=Kind.ALIAS, name=f"l{number}", fields={}) for number in range(10)]
    live += [Resource(kind=Kind.DKIM_KEY, name=f"k{number}", fields={}) for number in range(10)]
    steps = diff([Wanted(resource=item) for item in live if item.kind is Kind.ACCOUNT], snapshot(live))
    (stop,) = await Brake(holders=nobody).stops(planned(steps, live))
    assert (stop.subject, stop.release) == ("10 of 10 aliases", "--allow-many")


@dataclass(frozen=True, kw_only=True)
class ZoneValue:
    zone: str
    changes: Sequence[Change]
    owned: int
    losing: Sequence[RecordSet] = ()


def withdrawn(*names: str) -> list[Change]:
    return [Change(operation=Operation.DESTROY, kind="dns_record", name=f"{name} TXT") for name in names]


async def records_held(zone: ZoneValue, *, going: Sequence[str] = (), leaving: Sequence[str] = ()) -> list[str]:
    judged = replace(planned(destroying(*going)), zones=(zone,), leaving=leaving)
    return [stop.subject for stop in await Brake(holders=nobody).stops(judged)]


async def test_a_value_of_another_hand_goes_only_when_it_is_said() -> None:
    backup = RecordSet(name=DOMAIN, type="MX", values=("20 backup.example.",))
    judged = replace(planned(()), zones=(ZoneValue(zone=DOMAIN, changes=(), owned=1, losing=[backup]),))
    (stop,) = await Brake(holders=nobody).stops(judged)
    assert (stop.brake, stop.subject, stop.release) == (
        BrakeName.FOREIGN,
        "dns_record example.com MX",
        "--allow-foreign",
    )
    assert "20 backup.example." in stop.text
    assert await Brake(holders=nobody, allowed=Allowed(foreign=True)).stops(judged) == ()


async def test_records_go_with_their_domain_or_zone_but_not_by_themselves() -> None:
    zone = ZoneValue(zone=DOMAIN, changes=withdrawn(*(f"t{number}.{DOMAIN}" for number in range(6))), owned=12)
    assert await records_held(zone) == ["6 of mailstack's 12 record sets in zone example.com"]
    assert await records_held(zone, going=[DOMAIN]) == []
    assert await records_held(zone, leaving=[DOMAIN]) == []
    assert await records_held(replace(zone, owned=20)) == []


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
