"""App passwords over IMAP: they let in, they tell of JMAP where they are good for it, and who came by one that has
ended is sent away."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.app_password import AppPassword, AppService
from mailstack.model.principal import Account
from mailstack.servers.standing import has_standing
from tests.support.app_passwords import app_password_for
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap, running_imap


async def made(server: RunningImap, *services: AppService) -> tuple[AppPassword, str]:
    account = await account_of(server)
    return await app_password_for(server.store.app_passwords, account.account_id, *services)


async def account_of(server: RunningImap) -> Account:
    found = await server.store.accounts.find("u0@peer.test")
    assert isinstance(found, Account)
    return found


async def revoke(server: RunningImap, app_password: AppPassword) -> None:
    await server.store.app_passwords.revoke(app_password.account_id, app_password.app_password_id)
    await server.imap.recheck_app_passwords()


async def test_it_is_taken_by_login_and_by_plain(server: RunningImap, stranger: ImapClient) -> None:
    _, text = await made(server, AppService.IMAP)
    _, other = await made(server, AppService.JMAP)
    await stranger.talk(f"""
        C: a LOGIN u0 {other}
        S: a NO [AUTHENTICATIONFAILED]…
        C: b LOGIN u0 {text}
        S: b OK …
    """)


@pytest.mark.parametrize("last", ["a NOOP", "a IDLE"])
async def test_who_came_by_one_that_is_revoked_is_sent_away_and_nobody_else(
    server: RunningImap, client: ImapClient, last: str
) -> None:
    gone, text = await made(server)
    _, kept = await made(server)
    async with imap_client(server.port) as phone, imap_client(server.port) as tablet:
        answer = "+ idling" if last == "a IDLE" else "a OK …"
        await phone.talk(f"C: l LOGIN u0 {text}\nS: l OK …\nC: {last}\nS: {answer}")
        await tablet.talk(f"C: l LOGIN u0 {kept}\nS: l OK …")
        await revoke(server, gone)
        await phone.expect("* BYE The account has changed")
        await phone.expect_end()
        for other in (tablet, client):
            await other.talk("C: a NOOP\nS: a OK …")


async def test_standing_is_that_of_the_app_password(server: RunningImap) -> None:
    account = await account_of(server)
    one, _ = await made(server)
    entered = replace(account, app_password=one, password_hash="another by now")
    assert await has_standing(server.store.accounts, entered)
    assert not await has_standing(server.store.accounts, replace(entered, app_password=None))
    await revoke(server, one)
    assert not await has_standing(server.store.accounts, entered)


@pytest.mark.parametrize(
    ("services", "is_offered"), [((AppService.IMAP,), False), ((AppService.IMAP, AppService.JMAP), True)]
)
async def test_jmap_is_offered_to_who_may_log_in_there(
    tmp_path: Path, services: tuple[AppService, ...], is_offered: bool
) -> None:
    """RFC 9698 §3."""
    async with (
        running_imap(tmp_path, jmap_url="https://mail.peer.test/jmap/session") as server,
        imap_client(server.port) as client,
    ):
        _, text = await made(server, *services)
        reply = '* JMAPACCESS "https://mail.peer.test/jmap/session"\nS: a OK …' if is_offered else "a BAD …"
        await client.talk(f"C: l LOGIN u0 {text}\nS: l OK …\nC: a GETJMAPACCESS\nS: {reply}")
