"""Who is logged in when the account goes, or gets another password: sent away within seconds."""

import pytest

from mailstack.model.principal import Ability, Account
from mailstack.model.resource import Operation
from tests.support.account_changes import change_account
from tests.support.dialogue import Client
from tests.support.managesieve_server import RunningManageSieve, managesieve_client
from tests.support.wakes import eventually

LOGIN = "u0@peer.test"
GONE = 'S: BYE "The account has changed"\nS: (closed)'


async def applied(
    server: RunningManageSieve, operation: Operation, *, password: str = "", can: tuple[str, ...] = ()
) -> None:
    await change_account(server.store, LOGIN, operation, password=password, can=can)
    await server.server.recheck_logins()


async def test_who_has_another_password_logs_in_again(server: RunningManageSieve, client: Client) -> None:
    await applied(server, Operation.UPDATE, password="new")
    await client.play(GONE)


async def test_whose_account_is_gone_is_gone(server: RunningManageSieve, client: Client) -> None:
    await applied(server, Operation.DESTROY)
    await client.play(GONE)


async def test_who_may_not_read_any_more_is_sent_away(server: RunningManageSieve, client: Client) -> None:
    await applied(server, Operation.UPDATE, can=(Ability.SUBMIT,))
    await client.play(GONE)


async def test_any_other_change_sends_nobody_away(server: RunningManageSieve, client: Client, stranger: Client) -> None:
    await applied(server, Operation.UPDATE, can=(Ability.READ,))
    for one in (client, stranger):
        await one.play('C: NOOP\nS: OK "NOOP completed"')


async def test_the_session_of_who_is_sent_away_is_forgotten(server: RunningManageSieve, client: Client) -> None:
    await applied(server, Operation.UPDATE, password="new")
    await client.play(GONE)
    await eventually(lambda: not len(server.connections))
    await server.server.recheck_logins()


async def test_a_password_that_changes_while_it_is_proved_does_not_let_in(
    server: RunningManageSieve, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await server.store.accounts.find("u0@peer.test")
    assert isinstance(before, Account)
    await applied(server, Operation.UPDATE, password="new")

    async def found_before(_address_key: str) -> Account:
        return before

    monkeypatch.setattr(server.store.accounts, "find", found_before)
    async with managesieve_client(server.port) as client:
        await client.play('C: AUTHENTICATE "PLAIN" "AHUwAHB3"\nS: NO "Authentication failed"')
