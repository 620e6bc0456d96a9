"""AUTHENTICATE: a SASL exchange over continuation requests. RFC 9051 §6.2.2, RFC 4959."""

from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid
from mailstack.model.principal import Ability
from mailstack.servers.imap.login import PRIVACY_REQUIRED, enter, origin, refused
from mailstack.servers.imap.session import Completed, Session, bad, no
from mailstack.servers.sasl import Entry, log_in
from mailstack.wire.imap.commands.authenticate import Authenticate
from mailstack.wire.imap.events import SaslResponse
from mailstack.wire.imap.responses import Continuation
from mailstack.wire.sasl.encoding import decode_initial, decode_response, encode_challenge
from mailstack.wire.sasl.steps import Challenge


class _CancelledError(Exception):
    """The client gave up."""


async def run(session: Session, request: Authenticate) -> Completed:
    if not session.is_private:
        return PRIVACY_REQUIRED
    sasl = session.service.sasl
    exchange = sasl.exchange(request.mechanism, session.connection.stream.tls)
    if exchange is None:
        return no("No such mechanism", "CANNOT")

    async def ask(challenge: Challenge) -> bytes:
        return decode_response(await _answer(session, challenge))

    entry = Entry(login=sasl.login, ability=Ability.READ, origin=origin(session), ask=ask)
    try:
        initial = None if request.initial is None else decode_initial(request.initial)
        account = await log_in(exchange, initial, entry)
    except _CancelledError:
        return bad("Authentication cancelled")  # RFC 9051 §6.2.2: a cancelled exchange is answered BAD
    except Invalid:
        return bad("A response is not base64")
    except (AuthenticationFailed, Forbidden):
        return refused(session)
    return await enter(session, account)


async def _answer(session: Session, challenge: Challenge) -> bytes:
    session.connection.say(Continuation(data=encode_challenge(challenge.data)))
    session.machine.await_sasl()
    event = await session.connection.next_event()
    if not isinstance(event, SaslResponse):
        raise _CancelledError
    return event.line
