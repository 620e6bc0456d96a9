"""Which zone holds which record."""

import pytest

from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.zones import as_lines, place, zone_of
from mailstack.spec.sections.domains import Dns

ZONES = {"example.com": None, "sub.example.com": None}


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("example.com", "example.com"),
        ("mail.example.com", "example.com"),
        ("a.b.sub.example.com", "sub.example.com"),
        ("sub.example.com", "sub.example.com"),
        ("xexample.com", None),
        ("com", None),
    ],
)
def test_the_longest_zone_holds_the_name(name: str, zone: str | None) -> None:
    assert zone_of(name, ZONES) == zone


def test_records_go_to_providers_with_the_zones_ttl_and_the_rest_to_people() -> None:
    dns = Dns.model_validate(
        {
            "providers": {"p": {"class": "a.B"}},
            "zones": {
                "auto.test": {"provider": "p", "ttl": 60},
                "hand.test": {"provider": "manual", "ttl": 90},
                "empty.test": {"provider": "p"},
            },
        }
    )
    names = ("mail.auto.test", "hand.test", "nowhere.test")
    placed = place([RecordSet(name=name, type="A", values=("192.0.2.1",)) for name in names], dns, {})
    record = RecordSet(name="mail.auto.test", type="A", values=("192.0.2.1",), ttl_s=60)
    assert placed.by_zone == {"auto.test": (record,), "empty.test": ()}
    assert [(item.zone, item.records) for item in as_lines(placed.by_hand)] == [
        ("hand.test", ("hand.test. 90 IN A 192.0.2.1",)),
        ("", ("nowhere.test. 3600 IN A 192.0.2.1",)),
    ]


def test_a_type_that_the_provider_lacks_is_left_to_people_with_the_reason() -> None:
    dns = Dns.model_validate({"providers": {"r53": {"class": "a.B"}}, "zones": {"auto.test": {"provider": "r53"}}})
    address = RecordSet(name="mail.auto.test", type="A", values=("192.0.2.1",))
    tlsa = RecordSet(name="_25._tcp.mail.auto.test", type="TLSA", values=(f"3 1 1 {'ab' * 32}",))
    placed = place([address, tlsa], dns, {"auto.test": frozenset(("A",))})
    assert placed.by_zone == {"auto.test": (address,)}
    (by_hand,) = as_lines(placed.by_hand)
    assert by_hand.zone == "auto.test"
    assert by_hand.reason == "provider r53 has no TLSA"
    assert by_hand.records[0].startswith("_25._tcp.mail.auto.test.")
