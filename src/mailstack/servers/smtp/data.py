"""DATA: the message itself, and the reply that takes it over: 250 means that it will not be lost. RFC 5321 §4.1.1.4."""

from collections.abc import Callable

import structlog

from mailstack.model.address import Address
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant
from mailstack.model.log_events import TransactionPhase
from mailstack.model.principal import Account
from mailstack.net.spool import Spool
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.content import Content
from mailstack.servers.smtp.errors import refusal_for
from mailstack.servers.smtp.framing import DataFraming
from mailstack.servers.smtp.lmtp import take_over_each
from mailstack.servers.smtp.replies import (
    BAD_ARGUMENT,
    BAD_SEQUENCE,
    LOCAL_ERROR,
    NO_VALID_RECIPIENTS,
    SEND_DATA,
    FramingLost,
    Refused,
)
from mailstack.servers.smtp.service import SmtpRole
from mailstack.servers.smtp.transaction import BUG, Transaction
from mailstack.services.inbound.mail import Decision, Defer, InboundMail, Reject
from mailstack.services.inbound.pipeline import Phase
from mailstack.services.outbound.submit import Origin

log = structlog.get_logger()


async def data(connection: SmtpConnection, argument: str) -> SmtpReply | None:
    transaction, mail = connection.transaction, connection.mail
    if argument:
        raise Refused(BAD_ARGUMENT)
    # RFC 3030 §2: never both ways in one transaction; §3: binary octets know no last line.
    if transaction is None or mail is None or transaction.chunks is not None or mail.handling.is_binary:
        raise Refused(BAD_SEQUENCE)
    if not mail.recipients:
        raise Refused(without_recipients(connection.role))
    transaction.phase = TransactionPhase.DATA
    with Spool() as spool:
        try:
            framing = await _receive(connection, spool)
            return await take_over(connection, transaction, mail, framing.content)
        finally:
            # RFC 5321 §4.1.1.4: whatever the reply, the transaction is over.
            transaction.finish()


def without_recipients(role: SmtpRole) -> SmtpReply:
    # RFC 5321 §3.3 leaves it to us, RFC 2033 §4.2 does not: 503.
    return BAD_SEQUENCE if role is SmtpRole.LMTP else NO_VALID_RECIPIENTS


async def _receive(connection: SmtpConnection, spool: Spool) -> DataFraming:
    """The whole message has been read. Raises FramingLost in its middle."""
    await connection.say(SEND_DATA)
    framing = DataFraming(connection.service.limits, spool)
    rest = None
    while rest is None:
        chunk = await connection.incoming.chunk()
        try:
            rest = framing.feed(chunk)
        except FramingLost:
            raise
        except Exception:  # what follows of the message must never be read as commands (CVE-2023-51764 and its kin)
            log.exception("smtp message not read to its end", peer=connection.peer_host)
            raise FramingLost(LOCAL_ERROR, reason=BUG) from None
    connection.incoming.unread(rest)
    return framing


async def take_over(
    connection: SmtpConnection, transaction: Transaction, mail: InboundMail, content: Callable[[], Content]
) -> SmtpReply | None:
    """250: it will not be lost; None: all has been said. content: raises what was wrong with it.

    Raises Refused, DomainError.
    """
    if connection.role is SmtpRole.LMTP:
        await take_over_each(connection, transaction, mail, content)
        return None
    received = content()
    service = connection.service
    account = connection.state.account
    complete = mail.holding(received.raw, is_8bit=received.is_8bit, received_at=service.clock())
    transaction.examine(complete)
    decision: Address | Decision | InboundMail
    if account is not None:
        decision = await _submit(connection, account, complete, transaction.release_at)
        if isinstance(decision, Address):
            transaction.from_domain = decision.domain
    else:
        decision = await service.inbound.run(Phase.DATA, complete, watch=transaction.watch)
    if isinstance(decision, Reject | Defer):
        raise refusal_for(decision)
    reply = SmtpReply(code=250, status="2.0.0", text=f"OK {mail.trace_id}")
    transaction.accepted(reply)
    return reply


async def _submit(
    connection: SmtpConnection, account: Account, mail: InboundMail, release_at: Instant | None
) -> Address | Reject | Defer:
    """The author, where it is taken."""
    origin = Origin(
        ehlo_domain=mail.ehlo_domain,
        peer_host=mail.peer_host,
        protocol=mail.protocol,
        trace_id=mail.trace_id,
        smtp_utf8=mail.smtp_utf8,
        handling=mail.handling,
        release_at=release_at,
        notifications={recipient.text: recipient.notification for recipient in mail.recipients},
    )
    recipients = [recipient.text for recipient in mail.recipients]
    return await connection.service.submission.submit(account, mail.reverse_path, recipients, mail.raw, origin)
