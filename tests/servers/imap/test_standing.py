"""Who is logged in when the account goes, or gets another password: sent away within seconds. RFC 9051 §7.1.5."""

import asyncio

import pytest

from mailstack.model.principal import Ability, Account
from mailstack.model.resource import Operation
from mailstack.servers import standing
from tests.servers.imap.conftest import message
from tests.support.account_changes import change_account
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap
from tests.support.running import DEADLINE_S

LOGIN = "u0@peer.test"


async def apply(server: RunningImap, operation: Operation, *, password: str = "", can: tuple[str, ...] = ()) -> None:
    await change_account(server.store, LOGIN, operation, password=password, can=can)
    await server.imap.recheck_logins()


@pytest.mark.parametrize("last", ["a NOOP", "a IDLE"])
async def test_who_has_another_password_logs_in_again(server: RunningImap, client: ImapClient, last: str) -> None:
    await client.talk(f"C: {last}\nS: {'+ idling' if last == 'a IDLE' else 'a OK …'}")

    await apply(server, Operation.UPDATE, password="new")

    await client.expect("* BYE The account has changed")
    await client.expect_end()


async def test_whose_account_is_gone_is_gone(server: RunningImap, inbox: ImapClient) -> None:
    await apply(server, Operation.DESTROY)

    await inbox.expect("* BYE The account has changed")
    await inbox.expect_end()


async def test_who_may_not_read_any_more_is_sent_away(server: RunningImap, client: ImapClient) -> None:
    await apply(server, Operation.UPDATE, can=(Ability.SUBMIT,))

    await client.expect("* BYE The account has changed")


async def test_any_other_change_sends_nobody_away(
    server: RunningImap, client: ImapClient, stranger: ImapClient
) -> None:
    await apply(server, Operation.UPDATE, can=(Ability.READ,))

    await client.talk("C: a NOOP\nS: a OK …")
    await stranger.talk("C: a NOOP\nS: a OK …")


async def test_a_command_that_takes_long_is_cut_off(
    server: RunningImap, client: ImapClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who has the old password copies the whole mailbox, and reads slowly."""
    monkeypatch.setattr(standing, "GRACE_S", 0.2)
    await client.append(message(1) + b"x" * 20_000_000)
    await client.talk("C: a SELECT INBOX\nS: ...\nS: a OK …\nC: b FETCH 1 BODY[]\nS: * 1 FETCH …")

    await apply(server, Operation.UPDATE, password="new")

    async with asyncio.timeout(DEADLINE_S):
        while len(server.connections):  # noqa: ASYNC110  # nothing tells of the end of a connection
            await asyncio.sleep(0)


async def test_a_password_that_changes_while_it_is_proved_does_not_let_in(
    server: RunningImap, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await server.store.accounts.find(LOGIN)
    assert isinstance(before, Account)
    await apply(server, Operation.UPDATE, password="new")

    async def found_before(address_key: str) -> Account:
        return before

    monkeypatch.setattr(server.store.accounts, "find", found_before)
    async with imap_client(server.port) as client:
        await client.talk("C: a LOGIN u0 pw\nS: a NO [AUTHENTICATIONFAILED]…")
