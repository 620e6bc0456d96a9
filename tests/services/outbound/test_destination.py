"""Where a queued recipient goes now."""

from collections.abc import Sequence

import pytest

from mailstack.model.delivery import NextHop, TlsMode
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.warm_up import WarmUp
from mailstack.services.outbound.destination import (
    Destination,
    Local,
    Nowhere,
    ToDomain,
    ToRelay,
    Unknown,
    destination,
)
from mailstack.services.outbound.route import DIRECT as DIRECT_WAY
from mailstack.services.outbound.route import HOLD, Gradual, Relay, Route, RouteTable, Way
from tests.support.smtp_world import make_directory

DIRECT = RouteTable(routes=())
SENDER = "sender@else.example"


async def nobody_asks(domain: str) -> Sequence[str]:
    raise AssertionError(domain)


async def no_warm_up(_gradual: Gradual, provider: str) -> bool:
    raise AssertionError(provider)


async def test_our_own_domains_are_stored_here_and_a_backup_hands_them_over() -> None:
    accounts = make_directory()
    assert (
        await destination(
            accounts, DIRECT, nobody_asks, "alice@example.com", reverse_path=SENDER, goes_direct=no_warm_up
        )
        == Local()
    )
    primary = await destination(
        accounts, DIRECT, nobody_asks, "alice@example.com", reverse_path=SENDER, goes_direct=no_warm_up, is_backup=True
    )
    assert primary == ToDomain("example.com", is_ours=True)


async def test_a_backup_hands_over_by_no_relay_and_holds_what_all_hold() -> None:
    accounts = make_directory()
    relay = Relay(name="r", hop=NextHop(host="relay.example", port=25, tls=TlsMode.NONE))
    for way, found in ((relay, ToDomain("example.com", is_ours=True)), (HOLD, HOLD)):
        routes = RouteTable(routes=(Route(to="*", via=way),))
        assert (
            await destination(
                accounts,
                routes,
                nobody_asks,
                "alice@example.com",
                reverse_path=SENDER,
                goes_direct=no_warm_up,
                is_backup=True,
            )
            == found
        )


async def test_other_domains_and_what_is_no_address_are_the_same_for_a_backup() -> None:
    accounts = make_directory()
    for is_backup in (False, True):
        other = await destination(
            accounts,
            DIRECT,
            nobody_asks,
            "x@y.example",
            reverse_path=SENDER,
            goes_direct=no_warm_up,
            is_backup=is_backup,
        )
        assert other == ToDomain("y.example")
        none = await destination(
            accounts, DIRECT, nobody_asks, "nobody", reverse_path=SENDER, goes_direct=no_warm_up, is_backup=is_backup
        )
        assert isinstance(none, Nowhere)


@pytest.mark.parametrize(
    ("reverse_path", "expected"),
    [
        ("news@example.com", HOLD),
        ("News@EXAMPLE.com", HOLD),
        ('"news"@example.com', HOLD),
        ("alice@example.com", ToDomain("y.example")),
        ("", ToDomain("y.example")),
        ("@", ToDomain("y.example")),
    ],
)
async def test_the_way_may_be_the_senders(reverse_path: str, expected: Destination) -> None:
    routes = RouteTable(routes=(Route(sender="news@example.com", to="*", via=HOLD),))
    assert (
        await destination(
            make_directory(), routes, nobody_asks, "x@y.example", reverse_path=reverse_path, goes_direct=no_warm_up
        )
        == expected
    )


BY_PROVIDER = RouteTable(
    routes=(
        Route(to="*.them.example", via=HOLD),
        Route(to="*", mx="*.protection.example", via=HOLD),
    )
)


@pytest.mark.parametrize(
    ("recipient", "hosts", "expected"),
    [
        ("x@y.example", ("mx1.protection.example",), HOLD),
        ("x@y.example", ("mx.else.example", "mx1.protection.example"), HOLD),
        ("x@y.example", ("mx.else.example",), ToDomain("y.example")),
        ("x@y.example", (), ToDomain("y.example")),
        ("x@[192.0.2.1]", None, ToDomain("[192.0.2.1]")),
        ("x@a.them.example", None, HOLD),
        ("alice@example.com", None, Local()),
    ],
)
async def test_the_way_may_be_that_of_the_domains_provider(
    recipient: str, hosts: Sequence[str] | None, expected: Destination
) -> None:
    async def hosts_of(domain: str) -> Sequence[str]:
        assert hosts is not None
        assert domain == "y.example"
        return hosts

    assert (
        await destination(
            make_directory(), BY_PROVIDER, hosts_of, recipient, reverse_path=SENDER, goes_direct=no_warm_up
        )
        == expected
    )


async def test_while_dns_does_not_say_no_other_way_is_taken() -> None:
    async def hosts_of(domain: str) -> Sequence[str]:
        raise TryAgainLater(f"{domain} is not answered for")

    found = await destination(
        make_directory(), BY_PROVIDER, hosts_of, "x@y.example", reverse_path=SENDER, goes_direct=no_warm_up
    )
    assert found == Unknown("y.example is not answered for")
    backup = await destination(
        make_directory(),
        BY_PROVIDER,
        nobody_asks,
        "alice@example.com",
        reverse_path=SENDER,
        goes_direct=no_warm_up,
        is_backup=True,
    )
    assert backup == ToDomain("example.com", is_ours=True)


SES = Relay(name="ses", hop=NextHop(host="ses.example", port=465, tls=TlsMode.IMPLICIT))
WARM_UP = WarmUp(start=Instant(0), days=28)


@pytest.mark.parametrize(
    ("recipient", "hosts", "provider"),
    [
        ("x@y.example", ("b.else.example", "mx.provider.co.uk", "a.mail.provider.example"), "provider.example"),
        ("x@y.example", (), "y.example"),
        ("x@[192.0.2.1]", None, "[192.0.2.1]"),
    ],
)
async def test_who_is_warmed_up_for_is_who_takes_the_mail(
    recipient: str, hosts: Sequence[str] | None, provider: str
) -> None:
    asked = []
    routes = RouteTable(routes=(Route(to="*", via=Gradual(warm_up=WARM_UP, meanwhile=SES)),))

    async def hosts_of(_domain: str) -> Sequence[str]:
        assert hosts is not None
        return hosts

    async def turns(gradual: Gradual, whose: str) -> bool:
        assert (gradual.warm_up, whose) == (WARM_UP, provider)
        asked.append(whose)
        return len(asked) == 1

    found = [
        await destination(make_directory(), routes, hosts_of, recipient, reverse_path=SENDER, goes_direct=turns)
        for _ in range(2)
    ]
    assert found == [ToDomain(recipient.rpartition("@")[2], warming=provider), ToRelay(SES)]


@pytest.mark.parametrize("via", [DIRECT_WAY, SES, Gradual(warm_up=WARM_UP, meanwhile=SES)])
async def test_mail_leaves_from_what_its_route_names(via: Way) -> None:
    async def hosts_of(_domain: str) -> Sequence[str]:
        return ("mx.them.test",)

    async def half(_gradual: Gradual, _provider: str) -> bool:
        return len(found) == 1

    routes = RouteTable(routes=(Route(to="*", via=via, sources=("192.0.2.2",)),))
    found: list[Destination] = []
    for _ in range(2):
        found.append(
            await destination(make_directory(), routes, hosts_of, "b@them.test", reverse_path=SENDER, goes_direct=half)
        )
    assert all(isinstance(way, ToRelay | ToDomain) and way.sources == ("192.0.2.2",) for way in found)
