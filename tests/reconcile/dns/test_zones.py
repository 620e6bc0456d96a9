"""Which zone holds which record."""

import pytest

from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.zones import place, zone_of
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
    placed = place([RecordSet(name=name, type="A", values=("192.0.2.1",)) for name in names], dns)
    record = RecordSet(name="mail.auto.test", type="A", values=("192.0.2.1",), ttl_s=60)
    assert placed.by_zone == {"auto.test": (record,), "empty.test": ()}
    assert [(item.zone, item.records) for item in placed.by_hand] == [
        ("hand.test", ("hand.test. 90 IN A 192.0.2.1",)),
        ("", ("nowhere.test. 3600 IN A 192.0.2.1",)),
    ]
