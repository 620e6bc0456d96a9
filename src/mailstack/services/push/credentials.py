"""What a push subscription was made with, and whether it is still good for a login: the account's password, one of its
app passwords, or the session of a browser, which ends when somebody signs out there. RFC 8620 §7.2."""

import hashlib

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.password import main_hash
from mailstack.model.principal import Ability, Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.web_sessions import WebSessions

_MAIN = "main"
_APP = "app"
_WEB = "web"


def credential_of(login: Account) -> str:
    """login: as at the login. Another one when the password is another, and never the password itself."""
    if login.app_password is not None:
        return f"{_APP}-{login.app_password.digest.hex()}"
    if login.web_session is not None:
        return f"{_WEB}-{login.web_session.hex()}"
    return f"{_MAIN}-{hashlib.sha256(main_hash(login.password_hash).encode()).hexdigest()}"


async def is_good(
    accounts: Accounts, web_sessions: WebSessions, account_id: AccountId, credential: str, *, now: Instant
) -> bool:
    account = await accounts.account(account_id)
    if account is None or not account.password_hash or Ability.READ not in account.abilities:
        return False
    kind, _, digest = credential.partition("-")
    if kind == _MAIN:
        return credential == credential_of(account)
    if kind == _WEB:
        session = await web_sessions.find(bytes.fromhex(digest), now=now)
        return session is not None and session.account_id == account_id and session.is_of(account.password_hash)
    found = await accounts.app_password(bytes.fromhex(digest))
    return found is not None and found.account_id == account_id and not found.has_ended(now)
