"""AUTHENTICATE: a SASL exchange over continuation requests. RFC 9051 §6.2.2, RFC 4959."""

from mailstack.model.delivery import Credentials
from mailstack.model.errors import Invalid
from mailstack.servers.imap.login import PRIVACY_REQUIRED, log_in, origin, refused
from mailstack.servers.imap.session import Completed, Session, bad, no
from mailstack.services.identity.login import log_failed_login
from mailstack.wire.imap.commands.authenticate import Authenticate
from mailstack.wire.imap.events import SaslResponse
from mailstack.wire.imap.responses import Continuation
from mailstack.wire.sasl.encoding import decode_initial, decode_response, encode_challenge
from mailstack.wire.sasl.mechanisms import mechanism
from mailstack.wire.sasl.steps import Challenge


async def run(session: Session, request: Authenticate) -> Completed:
    if not session.is_private:
        return PRIVACY_REQUIRED
    exchange = mechanism(request.mechanism)
    if exchange is None:
        return no("No such mechanism", "CANNOT")
    try:
        step = exchange.begin(None if request.initial is None else decode_initial(request.initial))
        while isinstance(step, Challenge):
            response = await _answer(session, step)
            if response is None:
                return bad("Authentication cancelled")  # RFC 9051 §6.2.2: a cancelled exchange is answered BAD
            step = exchange.respond(decode_response(response.line))
    except Invalid:
        return bad("A response is not base64")
    if isinstance(step, Credentials):
        return await log_in(session, step)
    log_failed_login(origin(session), "", step.reason)
    return refused(session)


async def _answer(session: Session, challenge: Challenge) -> SaslResponse | None:
    session.connection.say(Continuation(data=encode_challenge(challenge.data)))
    session.connection.machine.await_sasl()
    event = await session.connection.next_event()
    return event if isinstance(event, SaslResponse) else None
