"""Routes: the first match wins, and without one mail goes direct."""

import pytest

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
    assert TABLE.way(domain) == expected


def test_an_empty_table_goes_direct() -> None:
    assert RouteTable().way("example.com") == DIRECT


def test_a_star_takes_all() -> None:
    assert RouteTable((Route(to="*", via=HOLD),)).way("example.com") == HOLD
