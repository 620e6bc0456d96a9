"""Routes: the first match wins, and without one mail goes direct."""

import pytest

from mailstack.model.address import parse_address
from mailstack.model.delivery import NextHop, TlsMode
from mailstack.services.outbound.route import DIRECT, HOLD, Relay, Route, RouteTable, Way

SES = Relay(name="ses", hop=NextHop(host="relay.test", port=465, tls=TlsMode.IMPLICIT))
TABLE = RouteTable(
    (Route(to="*.outlook.com", via=SES), Route(to="held.test", via=HOLD), Route(to="direct.outlook.com", via=DIRECT))
)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("mail.outlook.com", SES),
        ("direct.outlook.com", SES),
        ("outlook.com", DIRECT),
        ("held.test", HOLD),
        ("xheld.test", DIRECT),
        ("[192.0.2.1]", DIRECT),
    ],
)
def test_first_match(domain: str, expected: Way) -> None:
    assert TABLE.way(domain, sender=None) == expected
    assert TABLE.way(domain, sender=parse_address("alice@example.com")) == expected


OF_SENDERS = RouteTable(
    (
        Route(sender="news@example.com", to="held.test", via=HOLD),
        Route(sender="a*@example.com", to="*", via=HOLD),
        Route(sender="example.com", to="*", via=SES),
        Route(sender="*.example.net", to="*.outlook.com", via=SES),
        Route(sender="*", to="held.test", via=HOLD),
    )
)


@pytest.mark.parametrize(
    ("sender", "domain", "expected"),
    [
        ("news@example.com", "held.test", HOLD),
        ("News@Example.com", "held.test", HOLD),
        ("news@example.com", "else.test", SES),
        ("news+x@example.com", "held.test", SES),
        ("a*@example.com", "else.test", HOLD),
        ("alice@example.com", "else.test", SES),
        ("alice@sub.example.com", "else.test", DIRECT),
        ("x@a.example.net", "mx.outlook.com", SES),
        ("x@a.example.net", "else.test", DIRECT),
        ("x@example.net", "mx.outlook.com", DIRECT),
        ("x@example.net", "held.test", HOLD),
    ],
)
def test_first_match_of_a_sender(sender: str, domain: str, expected: Way) -> None:
    assert OF_SENDERS.way(domain, sender=parse_address(sender)) == expected


def test_the_null_path_is_no_senders() -> None:
    assert OF_SENDERS.way("else.test", sender=None) == DIRECT
    assert RouteTable((Route(to="*", via=SES),)).way("else.test", sender=None) == SES


def test_an_empty_table_goes_direct() -> None:
    assert RouteTable().way("example.com", sender=None) == DIRECT


def test_a_star_takes_all() -> None:
    assert RouteTable((Route(to="*", via=HOLD),)).way("example.com", sender=None) == HOLD
