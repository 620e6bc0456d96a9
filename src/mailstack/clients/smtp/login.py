"""Proving to a relay who we are, by the strongest mechanism that both have.

RFC 4954 §4, §6; RFC 7677 with RFC 5802 and RFC 5929 (SCRAM); RFC 4616 (PLAIN). LOGIN is older than any RFC.
"""

import asyncio
import ipaddress
import ssl

from mailstack.clients.smtp.session import Session, Unreached
from mailstack.model.delivery import Credentials, SmtpReply, TlsMode
from mailstack.model.errors import AuthenticationFailed, Invalid
from mailstack.net.end_point import end_point_of
from mailstack.wire.sasl import scram
from mailstack.wire.sasl.encoding import decode_response
from mailstack.wire.sasl.plain import plain_message
from mailstack.wire.sasl.scram_client import ScramClient
from mailstack.wire.smtp.reply import Reply


async def log_in(session: Session, credentials: Credentials, mode: TlsMode, *, nonce: str) -> None:
    """nonce: fresh, printable, without a comma. Raises Unreached, Lost."""
    if not may_show_password(has_tls=session.has_tls, mode=mode, peer_host=session.peer_host):
        raise _unreached("4.7.11", "no password is sent to a server that is not verified")
    try:
        reply = await _proved(session, credentials, nonce)
    except (Invalid, AuthenticationFailed) as fault:
        raise _unreached("4.7.8", fault.detail) from fault
    if reply is None:
        raise _unreached("4.7.4", "the relay offers no AUTH mechanism we have")
    if not reply.is_positive:
        # A wrong password for the relay is the operator's mistake: mail waits until it is put right.
        raise _unreached("4.7.8", f"the relay refused our credentials: {reply.as_outcome()}")


def may_show_password(*, has_tls: bool, mode: TlsMode, peer_host: str) -> bool:
    # RFC 4954 §4: PLAIN and LOGIN show it to whoever listens, and to whoever answers under any certificate; SCRAM lets
    # them guess at it (RFC 5802 §9).
    is_verified = has_tls and mode in (TlsMode.STARTTLS, TlsMode.IMPLICIT)
    return is_verified or ipaddress.ip_address(peer_host).is_loopback


async def _proved(session: Session, credentials: Credentials, nonce: str) -> Reply | None:
    """The server's last word; None: there is nothing to try."""
    offered = session.client.capabilities.auth
    reply = await _scram(session, credentials, nonce) if offered & {scram.NAME, scram.PLUS_NAME} else None
    if reply is not None and (reply.is_positive or reply.code == 421):
        return reply
    # Some servers offer SCRAM to accounts whose password they keep in a way that serves PLAIN alone; whoever answers is
    # verified by now.
    if "PLAIN" in offered:
        return await session.command(session.client.auth("PLAIN", plain_message(credentials)))
    if "LOGIN" in offered:
        return await _login(session, credentials)
    return reply


async def _scram(session: Session, credentials: Credentials, nonce: str) -> Reply | None:
    """Raises Invalid, AuthenticationFailed: the server does not know the password itself."""
    offered = session.client.capabilities.auth
    end_point = _end_point(session)
    is_plus = end_point is not None and scram.PLUS_NAME in offered
    if not is_plus and scram.NAME not in offered:
        return None
    exchange = ScramClient(
        credentials.username,
        credentials.password,
        nonce=nonce,
        end_point=end_point if is_plus else None,
        knows_binding=end_point is not None,
    )
    reply = await session.command(session.client.auth(scram.PLUS_NAME if is_plus else scram.NAME, exchange.first()))
    if _is_over(reply):
        return reply
    final = await asyncio.to_thread(exchange.final, _challenge(reply))
    reply = await session.command(session.client.auth_response(final))
    if _is_over(reply):
        return reply
    exchange.finish(_challenge(reply))
    # RFC 4954 §4: a success has no room for the server's last message, so it is a challenge with an empty answer.
    return await session.command(session.client.auth_response(b""))


def _is_over(reply: Reply) -> bool:
    """Before its end. Raises AuthenticationFailed."""
    if reply.is_positive:
        raise AuthenticationFailed("the relay took our login without proof of its own")  # RFC 5802 §3
    return reply.code != 334


async def _login(session: Session, credentials: Credentials) -> Reply:
    reply = await session.command(session.client.auth("LOGIN"))
    for response in (credentials.username, credentials.password):
        if reply.code != 334:
            break
        reply = await session.command(session.client.auth_response(response.encode()))
    return reply


def _challenge(reply: Reply) -> bytes:
    """RFC 4954 §4: the text of a 334, in base64. Raises Invalid."""
    return decode_response("".join(reply.lines).encode())


def _end_point(session: Session) -> bytes | None:
    """What -PLUS binds to; None without TLS, and for a certificate that leaves it open."""
    certificate = session.certificate
    if certificate is None:
        return None
    try:
        return end_point_of(ssl.DER_cert_to_PEM_cert(certificate))
    except ValueError:
        return None  # one that OpenSSL can read, and cryptography cannot


def _unreached(status: str, text: str) -> Unreached:
    return Unreached(SmtpReply(code=451, status=status, text=text))
