"""MAIL: a transaction begins. RFC 5321 §4.1.1.2, RFC 1870 §6, RFC 6152 §3, RFC 6531 §3.4, RFC 4954 §5,
RFC 3461 §4, RFC 3030 §3, RFC 8689 §2, RFC 4865 §4."""

from collections.abc import Mapping

import structlog

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import Invalid
from mailstack.model.handling import PLAIN, Handling
from mailstack.model.instant import Instant
from mailstack.model.principal import Ability, Account
from mailstack.model.sending_limits import Room
from mailstack.servers.delivery_parameters import parse_envelope_id, parse_returned
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.errors import refusal_for
from mailstack.servers.smtp.paths import Path, parse_reverse_path
from mailstack.servers.smtp.replies import (
    AUTHENTICATION_REQUIRED,
    BAD_ARGUMENT,
    BAD_REVERSE_PATH,
    BAD_SEQUENCE,
    NEEDS_SMTPUTF8,
    REQUIRETLS_NEEDS_TLS,
    SENDER_OK,
    SYNTAX,
    TLS_REQUIRED,
    TOO_LARGE,
    TOO_MANY_TRANSACTIONS,
    UNKNOWN_PARAMETER,
    Refused,
)
from mailstack.servers.smtp.service import SmtpRole, takes_logins
from mailstack.servers.standing import has_standing
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.inbound.trace import protocol_word
from mailstack.wire.smtp import future_release

MAX_SIZE_DIGITS = 20  # RFC 1870 §6: size-value ::= 1*20DIGIT
BINARY_BODY = "BINARYMIME"
HANDLING_PARAMETERS = frozenset({"RET", "ENVID", "REQUIRETLS"})
PARAMETERS = HANDLING_PARAMETERS | {"SIZE", "BODY", "SMTPUTF8", "AUTH"}
SUBMISSION_PARAMETERS = PARAMETERS | future_release.PARAMETERS

log = structlog.get_logger()


async def mail(connection: SmtpConnection, argument: str) -> SmtpReply:
    transaction = connection.begin_transaction()
    _require_a_session(connection)
    path = _parse(connection, argument)
    smtp_utf8 = _smtp_utf8(path)
    size = _declared_size(path.parameters, connection.service.limits.message_bytes)
    body = _body(path.parameters)
    handling = _handling(connection, path, is_binary=body == BINARY_BODY)
    transaction.release_at = _release_at(connection, path.parameters)
    account = connection.state.account
    if account is not None:
        await _require_standing(connection, account)
        await connection.service.submission.check_sender(account, path.text)
        transaction.room = await connection.service.submission.allowance.room_ahead(account)
        require_room(connection, account, transaction.room, 1)
    transaction.mail = InboundMail(
        peer_host=connection.peer_host,
        ehlo_domain=connection.state.ehlo_domain,
        protocol=protocol_word(
            is_extended=connection.state.is_extended,
            has_tls=connection.tls is not None,
            is_authenticated=account is not None,
            smtp_utf8=smtp_utf8,
            is_lmtp=connection.role is SmtpRole.LMTP,
        ),
        trace_id=transaction.trace_id,
        reverse_path=path.text,
        size_bytes=size,
        is_8bit=body == "8BITMIME",
        smtp_utf8=smtp_utf8,
        received_at=connection.service.clock(),
        handling=handling,
    )
    return SENDER_OK


def require_room(connection: SmtpConnection, account: Account, room: Room, recipients: int) -> None:
    """Raises Refused."""
    over = connection.service.submission.allowance.why_not(account, room, recipients)
    if over is not None:
        raise refusal_for(over)


def _require_a_session(connection: SmtpConnection) -> None:
    state = connection.state
    connection.offences.transactions += 1
    if connection.offences.transactions > connection.service.limits.transactions:
        raise Refused(TOO_MANY_TRANSACTIONS)
    if not state.ehlo_domain:
        raise Refused(BAD_SEQUENCE)
    if takes_logins(connection.role):
        # RFC 6409 §4.3, RFC 8314 §3.3: submission is for those who proved who they are, over a channel nobody reads.
        if not connection.is_secure:
            raise Refused(TLS_REQUIRED)
        if state.account is None:
            raise Refused(AUTHENTICATION_REQUIRED)


async def _require_standing(connection: SmtpConnection, account: Account) -> None:
    """A password that has changed, or an app password that has ended, sends nothing more. RFC 4954 §6."""
    if not await has_standing(connection.service.submission.accounts, account, ability=Ability.SUBMIT):
        log.info("sent away", service=connection.role.value, peer=connection.peer_host, account=account.login)
        raise Refused(AUTHENTICATION_REQUIRED)


def _parse(connection: SmtpConnection, argument: str) -> Path:
    # RFC 5321 §3.3: no space on either side of the colon.
    if argument[:5].upper() != "FROM:" or argument[5:6] != "<":
        raise Refused(SYNTAX)
    try:
        path = parse_reverse_path(argument[5:], limit=connection.service.limits.path_bytes)
    except Invalid:
        raise Refused(BAD_REVERSE_PATH) from None
    if path.parameters and not connection.state.is_extended:
        raise Refused(UNKNOWN_PARAMETER)
    # RFC 4954 §5: AUTH= is for servers that trust each other; here it is read and means nothing, as if it were <>.
    # RFC 4865 §4: the extension is one of submission.
    known = SUBMISSION_PARAMETERS if takes_logins(connection.role) else PARAMETERS
    if path.parameters.keys() - known:
        raise Refused(UNKNOWN_PARAMETER)
    return path


def _handling(connection: SmtpConnection, path: Path, *, is_binary: bool) -> Handling:
    parameters = path.parameters
    if not is_binary and parameters.keys().isdisjoint(HANDLING_PARAMETERS):
        return PLAIN
    try:
        return Handling(
            is_binary=is_binary,
            requires_tls=_requires_tls(connection, parameters),
            returned=parse_returned(parameters),
            envelope_id=parse_envelope_id(parameters),
        )
    except Invalid:
        raise Refused(BAD_ARGUMENT) from None


def _release_at(connection: SmtpConnection, parameters: Mapping[str, str | None]) -> Instant | None:
    try:
        return future_release.parse_hold(parameters, now=connection.service.clock())
    except Invalid:
        # RFC 4865 §4: 501, for what is malformed and what is too far off.
        raise Refused(BAD_ARGUMENT) from None


def _requires_tls(connection: SmtpConnection, parameters: Mapping[str, str | None]) -> bool:
    if "REQUIRETLS" not in parameters:
        return False
    if parameters["REQUIRETLS"] is not None:  # RFC 8689 §2: the parameter has no value
        raise Refused(BAD_ARGUMENT)
    if connection.tls is None:  # RFC 8689 §2: neither offered nor taken where anybody can listen
        raise Refused(REQUIRETLS_NEEDS_TLS)
    return True


def _smtp_utf8(path: Path) -> bool:
    if path.parameters.get("SMTPUTF8") is not None:  # RFC 6531 §3.4: the parameter has no value
        raise Refused(BAD_ARGUMENT)
    asked = "SMTPUTF8" in path.parameters
    if not asked and not path.text.isascii():
        raise Refused(NEEDS_SMTPUTF8)
    return asked


def _declared_size(parameters: Mapping[str, str | None], limit: int) -> int:
    if "SIZE" not in parameters:
        return 0
    text = parameters["SIZE"] or ""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_SIZE_DIGITS):
        raise Refused(BAD_ARGUMENT)
    if int(text) > limit:
        raise Refused(TOO_LARGE)
    return int(text)


def _body(parameters: Mapping[str, str | None]) -> str:
    """RFC 6152 §3, RFC 3030 §3."""
    if "BODY" not in parameters:
        return "7BIT"
    body = (parameters["BODY"] or "").upper()
    if body not in ("7BIT", "8BITMIME", BINARY_BODY):
        raise Refused(BAD_ARGUMENT)
    return body
