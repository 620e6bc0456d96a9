"""App passwords over ManageSieve."""

from base64 import b64encode

from mailstack.model.app_password import AppService
from mailstack.model.principal import Account
from tests.support.app_passwords import app_password_for
from tests.support.dialogue import Client
from tests.support.managesieve_server import RunningManageSieve, managesieve_client

LOGIN = "u0@peer.test"


def plain(password: str) -> str:
    response = b64encode(b"\0" + LOGIN.encode() + b"\0" + password.encode()).decode()
    return f'C: AUTHENTICATE "PLAIN" "{response}"'


async def test_who_came_by_one_that_is_revoked_is_sent_away_and_nobody_else(
    server: RunningManageSieve, client: Client
) -> None:
    account = await server.store.accounts.find(LOGIN)
    assert isinstance(account, Account)
    app_passwords = server.store.app_passwords
    gone, text = await app_password_for(app_passwords, account.account_id, AppService.MANAGESIEVE)
    _, other = await app_password_for(app_passwords, account.account_id, AppService.IMAP)
    async with managesieve_client(server.port) as phone:
        await phone.play(f'{plain(other)}\nS: NO "Authentication failed"\n{plain(text)}\nS: OK ...')
        await app_passwords.revoke(account.account_id, gone.app_password_id)
        await server.server.recheck_app_passwords()
        await phone.play('S: BYE "The account has changed"\nS: (closed)')
    await client.play('C: NOOP\nS: OK "NOOP completed"')
