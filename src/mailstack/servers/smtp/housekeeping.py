"""The commands that move no mail: RSET NOOP VRFY HELP QUIT, and whatever is no command. RFC 5321 §4.1.1.5-§4.1.1.10."""

from mailstack.model.delivery import SmtpReply
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.replies import BAD_ARGUMENT, BYE, CANNOT_VERIFY, HELP, OK, UNRECOGNISED, Refused


async def rset(connection: SmtpConnection, argument: str) -> SmtpReply:
    if argument:
        raise Refused(BAD_ARGUMENT)
    connection.drop_transaction("RSET")
    return OK


async def noop(_: SmtpConnection, __: str) -> SmtpReply:
    return OK  # RFC 5321 §4.1.1.9: an argument is ignored


async def vrfy(_: SmtpConnection, argument: str) -> SmtpReply:
    if not argument:
        raise Refused(BAD_ARGUMENT)
    return CANNOT_VERIFY


async def help_(_: SmtpConnection, __: str) -> SmtpReply:
    return HELP


async def quit_(connection: SmtpConnection, argument: str) -> SmtpReply:
    if argument:
        raise Refused(BAD_ARGUMENT)
    connection.drop_transaction("QUIT")
    return BYE


async def unrecognised(_: SmtpConnection, __: str) -> SmtpReply:
    raise Refused(UNRECOGNISED)
