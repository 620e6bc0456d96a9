"""AUTH: under TLS only, a few tries for each connection. RFC 4954 §4, §6."""

from collections.abc import Callable

from mailstack.model.conduct import Offence
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid, TryAgainLater
from mailstack.model.principal import Ability
from mailstack.servers.sasl import Entry, log_in
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.replies import (
    AUTHENTICATED,
    AUTHENTICATION_BROKEN,
    AUTHENTICATION_CANCELLED,
    BAD_ARGUMENT,
    BAD_BASE64,
    BAD_SEQUENCE,
    LOGIN_LATER,
    NOT_IMPLEMENTED,
    TLS_REQUIRED,
    TOO_MANY_ERRORS,
    TOO_MANY_OF_ACCOUNT,
    UNKNOWN_MECHANISM,
    Refused,
)
from mailstack.servers.smtp.service import takes_logins
from mailstack.services.identity.login import LoginOrigin
from mailstack.wire.sasl.encoding import CANCEL, decode_initial, decode_response, encode_challenge
from mailstack.wire.sasl.steps import Challenge


async def auth(connection: SmtpConnection, argument: str) -> SmtpReply:
    if not takes_logins(connection.role):
        raise Refused(NOT_IMPLEMENTED)
    _require_a_fresh_session(connection)
    name, _, initial = argument.partition(" ")
    if not name:
        raise Refused(BAD_ARGUMENT)
    sasl = connection.service.sasl
    exchange = sasl.exchange(name, connection.tls)
    if exchange is None:
        raise Refused(UNKNOWN_MECHANISM)

    async def ask(challenge: Challenge) -> bytes:
        return await _answer(connection, challenge)

    begun = _decoded(decode_initial, initial.encode("utf-8", "surrogateescape")) if initial else None
    entry = Entry(login=sasl.login, ability=Ability.SUBMIT, origin=_origin(connection), ask=ask)
    try:
        account = await log_in(exchange, begun, entry)
    except (AuthenticationFailed, Forbidden):
        # One reply for both: which accounts exist and what they may do is nobody's to find out.
        raise _failed(connection) from None
    except TryAgainLater:
        raise Refused(LOGIN_LATER) from None
    if not connection.log_in(account):
        raise Refused(TOO_MANY_OF_ACCOUNT)
    return AUTHENTICATED


def _require_a_fresh_session(connection: SmtpConnection) -> None:
    state = connection.state
    if not connection.is_secure:
        raise Refused(TLS_REQUIRED)
    # RFC 4954 §4: after EHLO, once, and not within a transaction.
    if not state.is_extended or state.account is not None or connection.transaction is not None:
        raise Refused(BAD_SEQUENCE)


async def _answer(connection: SmtpConnection, challenge: Challenge) -> bytes:
    # RFC 4954 §4: "334" SP base64 CRLF, the space stands even before an empty challenge.
    await connection.push(b"334 " + encode_challenge(challenge.data) + b"\r\n")
    line = (await connection.incoming.line(limit=connection.service.limits.auth_bytes))[:-2]
    if line == CANCEL:
        raise Refused(AUTHENTICATION_CANCELLED)
    return _decoded(decode_response, line)


def _origin(connection: SmtpConnection) -> LoginOrigin:
    return LoginOrigin(service=connection.role.value, peer_host=connection.peer_host)


def _decoded(decode: Callable[[bytes], bytes], text: bytes) -> bytes:
    try:
        return decode(text)
    except Invalid:
        raise Refused(BAD_BASE64) from None


def _failed(connection: SmtpConnection) -> Refused:
    connection.offences.failed_logins += 1
    connection.service.conduct.note(connection.peer_host, Offence.FAILED_LOGIN)
    if connection.offences.failed_logins > connection.service.limits.failed_logins:
        return Refused(TOO_MANY_ERRORS)
    return Refused(AUTHENTICATION_BROKEN)
