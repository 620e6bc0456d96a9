"""LOGIN, and how every login ends. RFC 9051 §6.2.3, RFC 5530 §3."""

import structlog

from mailstack.model.conduct import Offence
from mailstack.model.errors import AuthenticationFailed, Forbidden
from mailstack.model.principal import Ability, Account
from mailstack.net.admission import host_of
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.servers.standing import has_standing
from mailstack.services.identity.login import LoginOrigin
from mailstack.wire.imap.commands.login import Login

log = structlog.get_logger()

PRIVACY_REQUIRED = no("Use TLS first", "PRIVACYREQUIRED")
# One answer to every failure: whether the account exists, and what it may do, is nobody's business.
_FAILED = no("Authentication failed", "AUTHENTICATIONFAILED")
# RFC 5530 §3. It tells the right password from a wrong one, as any answer does that helps its owner.
TOO_MANY_CONNECTIONS = no("Too many connections of this account, close one and try again", "LIMIT")


async def run(session: Session, request: Login) -> Completed:
    if not session.is_private:
        return PRIVACY_REQUIRED
    try:
        account = await session.service.sasl.login.authenticate(
            request.username, request.password, ability=Ability.READ, origin=origin(session)
        )
    except (AuthenticationFailed, Forbidden):
        return refused(session)
    return await enter(session, account)


async def enter(session: Session, account: Account) -> Completed:
    if not await has_standing(session.accounts, account):
        return refused(session)
    if not session.begin(account):
        log.info("too many connections", peer=session.connection.stream.peer[0], account=account.login)
        return TOO_MANY_CONNECTIONS
    return ok("Logged in", f"CAPABILITY {' '.join(session.capabilities)}")


def origin(session: Session) -> LoginOrigin:
    return LoginOrigin(service="imap", peer_host=session.connection.stream.peer[0])


def refused(session: Session) -> Completed:
    """Counts, and ends the connection of who guesses."""
    session.refused_logins += 1
    session.service.conduct.note(host_of(session.connection.stream.peer), Offence.FAILED_LOGIN)
    if session.refused_logins >= session.service.limits.login_tries:
        log.info("too many refused logins", peer=session.connection.stream.peer[0])
        session.hang_up("Too many failures")
    return _FAILED
