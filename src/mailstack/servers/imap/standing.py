"""Whether those who are logged in still may be. Asked when a new generation serves: an account may be gone from it,
have another password, or no longer read mail.

RFC 9051 §7.1.5: BYE after the command in hand; what takes longer than GRACE_S is cut off.
"""

import asyncio
from collections.abc import Iterable

import structlog

from mailstack.model.ids import AccountId
from mailstack.model.password import main_hash
from mailstack.model.principal import Ability, Account
from mailstack.servers.imap.session import Session

GRACE_S = 5.0
AT_ONCE = 100

log = structlog.get_logger()


async def send_away(sessions: Iterable[Session]) -> None:
    """Those who may not stay. Others are let in between: it may be about ten thousand sessions."""
    found: dict[AccountId, Account | None] = {}
    for count, session in enumerate(tuple(sessions), start=1):
        account = session.account
        if account is None:
            continue
        if account.account_id not in found:
            found[account.account_id] = await session.service.accounts.account(account.account_id)
        if not _is_same(account, found[account.account_id]):
            _end(session, account)
        if not count % AT_ONCE:
            await asyncio.sleep(0)


async def has_standing(session: Session, account: Account) -> bool:
    """Right after a login: proving a password takes long enough for it to change."""
    return _is_same(account, await session.service.accounts.account(account.account_id))


def _is_same(before: Account, now: Account | None) -> bool:
    # A verifier may join a hash while somebody is logged in; it is of the same password.
    return (
        now is not None
        and main_hash(now.password_hash) == main_hash(before.password_hash)
        and Ability.READ in now.abilities
    )


def _end(session: Session, account: Account) -> None:
    connection = session.connection
    log.info("sent away", service="imap", peer=connection.stream.peer[0], account=account.login)
    connection.end("The account has changed")
    asyncio.get_running_loop().call_later(GRACE_S, connection.abort)
