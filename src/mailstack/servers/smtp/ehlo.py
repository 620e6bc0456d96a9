"""EHLO, LHLO and HELO: who is there, and what is offered. RFC 5321 §4.1.1.1, RFC 2034, RFC 3207, RFC 4954, RFC 3030,
RFC 2033 §4.1, RFC 3461, RFC 8689, RFC 9422, RFC 4865."""

from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.replies import BAD_ARGUMENT, Refused, encode_lines
from mailstack.servers.smtp.service import takes_logins
from mailstack.servers.smtp.session import Session
from mailstack.wire.smtp.future_release import ehlo_line

MAX_DOMAIN_CHARACTERS = 255


async def ehlo(connection: SmtpConnection, argument: str) -> None:
    _greet(connection, argument)
    connection.state.is_extended = True
    if _offers_logins(connection):
        await connection.service.sasl.login.look_for_verifiers()
    await connection.push(encode_lines(250, [connection.service.hostname, *_extensions(connection)]))


async def helo(connection: SmtpConnection, argument: str) -> None:
    _greet(connection, argument)
    # RFC 2034 §4: the greeting and the replies to HELO and EHLO carry no status code.
    await connection.push(encode_lines(250, [connection.service.hostname]))


def _greet(connection: SmtpConnection, argument: str) -> None:
    """RFC 5321 §4.1.4: EHLO amid a session resets it; a name that does not resolve is no reason to refuse."""
    if not argument or len(argument) > MAX_DOMAIN_CHARACTERS or " " in argument or not argument.isprintable():
        raise Refused(BAD_ARGUMENT)
    connection.drop_transaction("EHLO")
    connection.state = Session(ehlo_domain=argument, account=connection.state.account)


def _extensions(connection: SmtpConnection) -> list[str]:
    service = connection.service
    offered = [
        f"SIZE {service.limits.message_bytes}",
        "8BITMIME",
        "SMTPUTF8",
        "PIPELINING",
        "CHUNKING",
        "DSN",
        "BINARYMIME",
    ]
    # RFC 8689 §2: it says that the way to here is protected.
    if connection.tls is not None:
        offered.append("REQUIRETLS")
    if takes_logins(connection.role):
        offered.append(ehlo_line(service.clock()))
    # RFC 9422 §4: a client that knows them need not run into them.
    offered.append(f"LIMITS RCPTMAX={service.limits.recipients} MAILMAX={service.limits.transactions}")
    offered.append("ENHANCEDSTATUSCODES")
    # RFC 3207 §4.2: not offered again under TLS.
    if service.tls is not None and connection.tls is None:
        offered.append("STARTTLS")
    # RFC 4954 §4: a mechanism that sends the password is offered only where nobody listens.
    if _offers_logins(connection):
        offered.append(f"AUTH {' '.join(service.sasl.offer(connection.tls).names)}")
    return offered


def _offers_logins(connection: SmtpConnection) -> bool:
    return takes_logins(connection.role) and connection.is_secure and connection.state.account is None
