"""AUTHENTICATE: a SASL exchange over strings. RFC 5804 §2.1."""

import structlog

from mailstack.model.conduct import Offence
from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid
from mailstack.model.principal import Ability, Account
from mailstack.net.admission import host_of
from mailstack.servers.managesieve.replies import bye, no, ok
from mailstack.servers.managesieve.session import NAME, Session
from mailstack.servers.sasl import Entry, log_in
from mailstack.servers.standing import has_standing
from mailstack.services.identity.login import LoginOrigin
from mailstack.wire.managesieve import responses
from mailstack.wire.managesieve.commands.authenticate import Authenticate
from mailstack.wire.managesieve.events import SaslResponse
from mailstack.wire.managesieve.responses import Code, Condition, Reply
from mailstack.wire.sasl.encoding import decode_response, encode_challenge
from mailstack.wire.sasl.steps import Challenge

PRIVACY_REQUIRED = no("Use STARTTLS first", Code.ENCRYPT_NEEDED)
# RFC 5804 §2.1: with a mechanism whose first challenge says something, an initial response is refused.
SPEAK_FIRST = frozenset({"LOGIN"})

log = structlog.get_logger()


class _CancelledError(Exception):
    """The client gave up, or said what is no response."""


async def run(session: Session, request: Authenticate) -> Reply:
    if not session.is_private:
        return PRIVACY_REQUIRED
    sasl = session.service.sasl
    exchange = sasl.exchange(request.mechanism, session.connection.stream.tls)
    if exchange is None:
        return no("No such mechanism")
    if request.initial is not None and request.mechanism in SPEAK_FIRST:
        return no("This mechanism takes no initial response")
    finals: list[bytes] = []

    async def ask(challenge: Challenge) -> bytes:
        return decode_response(await _response(session, challenge))

    origin = LoginOrigin(service=NAME, peer_host=session.peer_host)
    entry = Entry(login=sasl.login, ability=Ability.READ, origin=origin, ask=ask, tell=finals.append)
    try:
        initial = None if request.initial is None else decode_response(request.initial)
        account = await log_in(exchange, initial, entry)
    except _CancelledError:
        return no("Authentication cancelled")
    except Invalid:
        return no("A response is not base64")
    except (AuthenticationFailed, Forbidden):
        return _refused(session)
    return await _enter(session, account, finals)


async def _response(session: Session, challenge: Challenge) -> bytes:
    session.connection.say(responses.Challenge(encode_challenge(challenge.data)))
    session.machine.await_sasl()
    event = await session.connection.next_event()
    if not isinstance(event, SaslResponse):
        raise _CancelledError
    return event.text


async def _enter(session: Session, account: Account, finals: list[bytes]) -> Reply:
    if not await has_standing(session.accounts, account):
        return _refused(session)
    if not session.begin(account):
        log.info("too many connections", service=NAME, peer=session.peer_host, account=account.login)
        return no("Too many connections of this account, close one and try again", Code.TRYLATER)
    if not finals:
        return ok("Logged in")
    # RFC 5804 §1.3, §2.1: the proof that the server gives saves a round trip here.
    return Reply(condition=Condition.OK, text="Logged in", code=Code.SASL, code_value=encode_challenge(finals[0]))


def _refused(session: Session) -> Reply:
    """Counts, and ends the connection of who guesses. One answer to every failure: whether the account exists, and what
    it may do, is nobody's business."""
    session.refused_logins += 1
    session.service.conduct.note(host_of(session.connection.stream.peer), Offence.FAILED_LOGIN)
    if session.refused_logins < session.service.limits.login_tries:
        return no("Authentication failed")
    log.info("too many refused logins", service=NAME, peer=session.peer_host)
    session.finish()
    return bye("Too many failures")
