"""Resources: the JSON form of every kind comes back as it was."""

import pytest

from mailstack.model.errors import Damaged
from mailstack.model.resource import (
    BODY_TYPES,
    AccountBody,
    Body,
    Kind,
    ReceivingBody,
    RelayBody,
    Resource,
    RouteBody,
    RoutesBody,
    body_of,
    fields_of,
)


@pytest.mark.parametrize(
    "body",
    [
        AccountBody(name="Alice", addresses=("a@b.example",), roles=("admin",), abilities=(), quota_bytes=None),
        AccountBody(name="", addresses=(), roles=(), abilities=("submit",), quota_bytes=5),
        ReceivingBody(trusted_sealers=("lists.example",), dns_deadline_s=5),
        RelayBody(host="relay.example", port=465, tls="implicit"),
        RelayBody(host="relay.example", port=24, tls="none", protocol="lmtp"),
        RoutesBody(routes=(RouteBody(to="*", via="direct"), RouteBody(from_="a.example", to="*", via="r"))),
    ],
)
def test_a_body_survives_its_fields(body: Body) -> None:
    resource = Resource(kind=Kind.ACCOUNT, name="x", fields=fields_of(body))
    assert body_of(type(body), resource) == body


def test_an_entry_that_leaves_something_open_is_as_before_there_was_such_a_thing() -> None:
    fields = fields_of(
        RoutesBody(routes=(RouteBody(to="*", via="direct"), RouteBody(from_="a.example", to="*", via="r")))
    )
    assert fields == {"routes": [{"to": "*", "via": "direct"}, {"from": "a.example", "to": "*", "via": "r"}]}


def test_every_kind_has_a_body() -> None:
    assert set(BODY_TYPES) == set(Kind)


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "h", "port": "25", "tls": "none"},
        {"host": "h", "port": 25},
        {"host": "h", "port": 25, "tls": "none", "colour": "red"},
    ],
)
def test_fields_of_another_version_are_named(fields: dict[str, str | int]) -> None:
    with pytest.raises(Damaged, match="relay r does not fit"):
        body_of(RelayBody, Resource(kind=Kind.RELAY, name="r", fields=fields))
