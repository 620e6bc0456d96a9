"""Where a queued recipient goes now."""

from mailstack.services.outbound.destination import Local, Nowhere, ToDomain, destination
from mailstack.services.outbound.route import RouteTable
from tests.support.smtp_world import make_directory

DIRECT = RouteTable(routes=())


async def test_our_own_domains_are_stored_here_and_a_backup_hands_them_over() -> None:
    accounts = make_directory()
    assert await destination(accounts, DIRECT, "alice@example.com") == Local()
    primary = await destination(accounts, DIRECT, "alice@example.com", is_backup=True)
    assert primary == ToDomain("example.com", is_ours=True)


async def test_other_domains_and_what_is_no_address_are_the_same_for_a_backup() -> None:
    accounts = make_directory()
    for is_backup in (False, True):
        assert await destination(accounts, DIRECT, "x@y.example", is_backup=is_backup) == ToDomain("y.example")
        assert isinstance(await destination(accounts, DIRECT, "nobody", is_backup=is_backup), Nowhere)
