"""STARTTLS: the same connection goes on under TLS, and forgets what was said before. RFC 3207 §4, §4.2, §6."""

import structlog

from mailstack.model.delivery import SmtpReply
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.replies import BAD_ARGUMENT, BAD_SEQUENCE, NO_TLS, READY_FOR_TLS, Refused

log = structlog.get_logger()


async def starttls(connection: SmtpConnection, argument: str) -> SmtpReply | None:
    if argument:
        raise Refused(BAD_ARGUMENT)
    if connection.tls is not None:
        raise Refused(BAD_SEQUENCE)
    if connection.service.tls is None:
        return NO_TLS
    await connection.say(READY_FOR_TLS)
    await connection.switch_to_tls(connection.service.tls)
    return None
