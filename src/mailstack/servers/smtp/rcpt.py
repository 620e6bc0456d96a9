"""RCPT: one more recipient, resolved at once, so that unknown ones are never bounced. RFC 5321 §4.1.1.3,
RFC 3461 §4."""

from mailstack.model.conduct import Offence
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.handling import Notification
from mailstack.model.log_events import TransactionPhase
from mailstack.servers.delivery_parameters import parse_notification
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.errors import refusal_for
from mailstack.servers.smtp.mail import require_room
from mailstack.servers.smtp.paths import Path, parse_forward_path
from mailstack.servers.smtp.replies import (
    BAD_ARGUMENT,
    BAD_FORWARD_PATH,
    BAD_SEQUENCE,
    NEEDS_SMTPUTF8,
    RECIPIENT_OK,
    SYNTAX,
    TOO_MANY_ERRORS,
    TOO_MANY_RECIPIENTS,
    UNKNOWN_PARAMETER,
    Refused,
)
from mailstack.servers.smtp.service import SmtpRole
from mailstack.services.inbound.mail import Accept, Defer, InboundMail, Recipient, Reject
from mailstack.services.inbound.pipeline import Phase


async def rcpt(connection: SmtpConnection, argument: str) -> SmtpReply:
    transaction, mail = connection.transaction, connection.mail
    if transaction is None or mail is None or transaction.chunks is not None:
        raise Refused(BAD_SEQUENCE)
    transaction.phase = TransactionPhase.RCPT
    path = _parse(connection, argument)
    if not mail.smtp_utf8 and not path.text.isascii():
        raise Refused(NEEDS_SMTPUTF8)
    # RFC 5321 §4.5.3.1.10: 452, and the sender comes again with the rest.
    if len(mail.recipients) >= connection.service.limits.recipients:
        raise Refused(TOO_MANY_RECIPIENTS)
    if path.address is None:
        raise Refused(BAD_FORWARD_PATH)
    account = connection.state.account
    if account is not None and transaction.room is not None:
        require_room(connection, account, transaction.room, len(mail.recipients) + 1)
    recipient = Recipient(
        address=path.address,
        text=path.text,
        notification=_notification(path, smtp_utf8=mail.smtp_utf8),
    )
    transaction.mail = await _admit(connection, mail.to((*mail.recipients, recipient)))
    return RECIPIENT_OK


def _parse(connection: SmtpConnection, argument: str) -> Path:
    if argument[:3].upper() != "TO:" or argument[3:4] != "<":
        raise Refused(SYNTAX)
    try:
        path = parse_forward_path(argument[3:], limit=connection.service.limits.path_bytes)
    except Invalid:
        raise Refused(BAD_FORWARD_PATH) from None
    if path.parameters and not connection.state.is_extended:
        raise Refused(UNKNOWN_PARAMETER)
    if path.parameters.keys() - {"NOTIFY", "ORCPT"}:
        raise Refused(UNKNOWN_PARAMETER)
    return path


def _notification(path: Path, *, smtp_utf8: bool) -> Notification:
    try:
        return parse_notification(path.parameters, smtp_utf8=smtp_utf8)
    except Invalid:
        raise Refused(BAD_ARGUMENT) from None


async def _admit(connection: SmtpConnection, mail: InboundMail) -> InboundMail:
    """With the newest recipient resolved. Raises what the stages of RCPT do."""
    inbound = connection.service.inbound
    # RFC 6409 §3: whoever is logged in may send anywhere; what is ours is checked for them as for anyone.
    if connection.state.account is not None and not await inbound.is_ours(mail.recipients[-1].address):
        return mail
    try:
        found = await inbound.run(Phase.RCPT, mail)
        if isinstance(found, InboundMail) and connection.role is SmtpRole.MX:
            found = await inbound.run(Phase.STRANGER, found)
    except (NotFound, Forbidden):
        # Trying out names is how address lists are made.
        connection.offences.unknown_recipients += 1
        if connection.state.account is None:
            connection.service.conduct.note(connection.peer_host, Offence.UNKNOWN_RECIPIENT)
            await connection.hold_up()
        if connection.offences.unknown_recipients > connection.service.limits.unknown_recipients:
            raise Refused(TOO_MANY_ERRORS) from None
        raise
    match found:
        case InboundMail():
            return found
        case Reject() | Defer():
            raise refusal_for(found)
        case Accept():
            return mail
