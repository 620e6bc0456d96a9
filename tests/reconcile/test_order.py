"""What is done before what, and that a plan says so."""

from collections.abc import Mapping, Sequence

import pytest

from mailstack.model.ids import Generation
from mailstack.model.resource import Json, Kind, Operation, Resource, Snapshot
from mailstack.reconcile.diff import Step, diff
from mailstack.reconcile.order import place_of, with_order
from mailstack.reconcile.plan import DNS_RECORD, Change
from mailstack.reconcile.wanted import Wanted

DOMAIN, ALICE, BOB = "example.com", "alice@example.com", "bob@example.com"


def resource(kind: Kind, name: str, **fields: Json) -> Resource:
    return Resource(kind=kind, name=name, fields=fields)


def steps_between(live: Sequence[Resource], wanted: Sequence[Resource]) -> tuple[Step, ...]:
    held = {(item.kind, item.name): item for item in live}
    snapshot = Snapshot(generation=Generation(1), spec_hash="", resources=held)
    return diff([Wanted(resource=item) for item in wanted], snapshot)


def waits(live: Sequence[Resource], wanted: Sequence[Resource], *records: Change) -> Mapping[str, tuple[str, ...]]:
    """Of those changes that wait for another one: for which."""
    held = {(item.kind, item.name): item for item in live}
    ordered = with_order(steps_between(live, wanted), records, held)
    return {f"{change.kind} {change.name}": change.after for change in ordered if change.after}


def record(operation: Operation, name: str) -> Change:
    return Change(operation=operation, kind=DNS_RECORD, name=name)


KEY = resource(Kind.DKIM_KEY, "s._domainkey.example.com", domain=DOMAIN)
ROUTES = resource(Kind.ROUTES, "routes", routes=[{"to": "*", "via": "ses"}, {"to": "x", "via": "direct"}])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([resource(Kind.DOMAIN, DOMAIN), resource(Kind.ACCOUNT, ALICE)], {f"account {ALICE}": (f"domain {DOMAIN}",)}),
        (
            [resource(Kind.ACCOUNT, ALICE), resource(Kind.ALIAS, "info@example.com", targets=[ALICE, "x@x.example"])],
            {"alias info@example.com": (f"account {ALICE}",)},
        ),
        (
            [
                resource(Kind.ACCOUNT, ALICE),
                resource(Kind.ALIAS, "info@example.com", targets=[]),
                resource(Kind.LIST, "l@example.com", members=["info@example.com"], owners=[ALICE]),
            ],
            {"list l@example.com": ("alias info@example.com", f"account {ALICE}")},
        ),
        ([resource(Kind.RELAY, "ses"), ROUTES], {"routes routes": ("relay ses",)}),
        ([resource(Kind.DOMAIN, DOMAIN), KEY], {f"dkim_key {KEY.name}": (f"domain {DOMAIN}",)}),
        (
            [resource(Kind.DOMAIN, DOMAIN), resource(Kind.DOMAIN, "b.example", alias_of=DOMAIN)],
            {"domain b.example": (f"domain {DOMAIN}",)},
        ),
        (
            [resource(Kind.DOMAIN, "b.example"), resource(Kind.ACCOUNT, ALICE, addresses=["a@b.example"])],
            {f"account {ALICE}": ("domain b.example",)},
        ),
        ([resource(Kind.ACCOUNT, ALICE), resource(Kind.RELAY, "ses")], {}),
    ],
)
def test_what_is_new_waits_for_what_it_names(
    wanted: Sequence[Resource], expected: Mapping[str, tuple[str, ...]]
) -> None:
    assert waits([], wanted) == expected


def test_what_is_there_already_is_not_waited_for() -> None:
    domain = resource(Kind.DOMAIN, DOMAIN)
    assert waits([domain], [domain, resource(Kind.ACCOUNT, ALICE)]) == {}


def test_an_address_passes_on_once_its_owner_has_let_go() -> None:
    sales = resource(Kind.ALIAS, "sales@example.com", targets=["x@x.example"])
    assert waits([resource(Kind.ACCOUNT, BOB, addresses=[sales.name])], [sales]) == {
        f"alias {sales.name}": (f"account {BOB}",)
    }
    bob = resource(Kind.ACCOUNT, BOB, addresses=[])
    assert waits([resource(Kind.ACCOUNT, BOB, addresses=[sales.name])], [bob, sales]) == {
        f"alias {sales.name}": (f"account {BOB}",)
    }


def test_who_stays_and_changes_addresses_with_another_waits_for_nobody() -> None:
    def owners(alices: str, bobs: str) -> list[Resource]:
        return [
            resource(Kind.ACCOUNT, ALICE, addresses=[alices]),
            resource(Kind.ACCOUNT, BOB, addresses=[bobs]),
        ]

    x, y = "x@example.com", "y@example.com"
    assert waits(owners(x, y), owners(y, x)) == {}


def test_a_domain_goes_after_all_that_is_in_it() -> None:
    live = [resource(Kind.DOMAIN, DOMAIN), resource(Kind.ACCOUNT, ALICE), KEY, resource(Kind.ACCOUNT, "a@b.example")]
    assert waits(live, []) == {f"domain {DOMAIN}": (f"account {ALICE}", f"dkim_key {KEY.name}")}


def test_a_relay_goes_after_the_routes_that_led_there() -> None:
    assert waits([resource(Kind.RELAY, "ses"), ROUTES], []) == {"relay ses": ("routes routes",)}


def test_records_wait_for_what_they_publish() -> None:
    wanted = [KEY, resource(Kind.CERTIFICATE, "mail.example.com"), resource(Kind.DOMAIN, DOMAIN)]
    records = [
        record(Operation.CREATE, f"{KEY.name} TXT"),
        record(Operation.UPDATE, "_25._tcp.mail.example.com TLSA"),
        record(Operation.CREATE, f"{DOMAIN} MX"),
        record(Operation.CREATE, f"_dmarc.{DOMAIN} TXT"),
        record(Operation.DESTROY, "old.example.com MX"),
    ]
    found = waits([], wanted, *records)
    assert {name: after for name, after in found.items() if name.startswith(DNS_RECORD)} == {
        f"dns_record {KEY.name} TXT": (f"dkim_key {KEY.name}",),
        "dns_record _25._tcp.mail.example.com TLSA": ("certificate mail.example.com",),
        f"dns_record {DOMAIN} MX": (f"domain {DOMAIN}",),
    }


def test_writes_stand_in_the_order_that_the_plan_tells() -> None:
    live = [resource(Kind.DOMAIN, "old.example"), resource(Kind.ACCOUNT, "a@old.example")]
    wanted = [resource(Kind.ALIAS, "i@example.com", targets=[ALICE]), resource(Kind.ACCOUNT, ALICE)]
    wanted += [resource(Kind.DOMAIN, DOMAIN)]
    steps = sorted(steps_between(live, wanted), key=place_of)
    assert [f"{step.change.kind} {step.change.name}" for step in steps] == [
        "account a@old.example",
        "domain old.example",
        f"domain {DOMAIN}",
        f"account {ALICE}",
        "alias i@example.com",
    ]
