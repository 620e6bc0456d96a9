"""Whether those who are logged in still may be. Asked when a new generation serves: an account may be gone from it,
have another password, or no longer read mail.

They are told so after the command in hand; what takes longer than GRACE_S is cut off.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import structlog

from mailstack.model.ids import AccountId
from mailstack.model.password import main_hash
from mailstack.model.principal import Ability, Account
from mailstack.ports.accounts import Accounts
from mailstack.servers.conversation import Farewell

GRACE_S = 5.0
AT_ONCE = 100

log = structlog.get_logger()


class Seat(Protocol):
    """account: who is logged in, as at the login; None: nobody. accounts: where it is looked up now."""

    @property
    def account(self) -> Account | None: ...

    @property
    def accounts(self) -> Accounts: ...

    @property
    def peer_host(self) -> str: ...

    def end(self, farewell: Farewell) -> None: ...

    def abort(self) -> None: ...


async def send_away(seats: Iterable[Seat], *, service: str) -> None:
    """Those who may not stay. Others are let in between: it may be about ten thousand sessions."""
    found: dict[AccountId, Account | None] = {}
    for count, seat in enumerate(tuple(seats), start=1):
        account = seat.account
        if account is None:
            continue
        if account.account_id not in found:
            found[account.account_id] = await seat.accounts.account(account.account_id)
        if not _is_same(account, found[account.account_id]):
            log.info("sent away", service=service, peer=seat.peer_host, account=account.login)
            seat.end(Farewell("The account has changed"))
            asyncio.get_running_loop().call_later(GRACE_S, seat.abort)
        if not count % AT_ONCE:
            await asyncio.sleep(0)


async def has_standing(accounts: Accounts, account: Account) -> bool:
    """Right after a login: proving a password takes long enough for it to change."""
    return _is_same(account, await accounts.account(account.account_id))


def _is_same(before: Account, now: Account | None) -> bool:
    # A verifier may join a hash while somebody is logged in; it is of the same password.
    return (
        now is not None
        and main_hash(now.password_hash) == main_hash(before.password_hash)
        and Ability.READ in now.abilities
    )
