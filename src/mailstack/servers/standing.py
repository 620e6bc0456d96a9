"""Whether those who are logged in still may be. Asked when a new generation serves: an account may be gone from it,
have another password, or no longer read mail; and when an app password has ended.

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
    found: dict[tuple[AccountId, str | bytes], bool] = {}
    for count, seat in enumerate(tuple(seats), start=1):
        account = seat.account
        if account is None:
            continue
        login = account.account_id, account.app_password.digest if account.app_password else account.password_hash
        if login not in found:
            found[login] = await has_standing(seat.accounts, account)
        if not found[login]:
            log.info("sent away", service=service, peer=seat.peer_host, account=account.login)
            seat.end(Farewell("The account has changed"))
            asyncio.get_running_loop().call_later(GRACE_S, seat.abort)
        if not count % AT_ONCE:
            await asyncio.sleep(0)


def by_app_password(seats: Iterable[Seat]) -> list[Seat]:
    return [seat for seat in seats if seat.account is not None and seat.account.app_password is not None]


async def has_standing(accounts: Accounts, account: Account, *, ability: Ability = Ability.READ) -> bool:
    """account: as at the login. Asked right after it, too: proving a password takes long enough for it to change.
    ability: that it came to use."""
    now = await accounts.account(account.account_id)
    if now is None or ability not in now.abilities:
        return False
    if account.app_password is not None:
        # Whatever the account's own password is now; but without one, nobody is logged in to it.
        return bool(now.password_hash) and await accounts.app_password(account.app_password.digest) is not None
    # A verifier may join a hash while somebody is logged in; it is of the same password.
    return main_hash(now.password_hash) == main_hash(account.password_hash)
