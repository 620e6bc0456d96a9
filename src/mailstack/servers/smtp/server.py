"""The SMTP server: its commands, and what makes a connection of each accepted socket. RFC 5321, RFC 6409,
RFC 2033."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from mailstack.net.admission import Entrance
from mailstack.net.connections import Connections
from mailstack.net.proxied import ProtocolFactory
from mailstack.servers.smtp.auth import auth
from mailstack.servers.smtp.bdat import bdat
from mailstack.servers.smtp.connection import Command, SmtpConnection
from mailstack.servers.smtp.data import data
from mailstack.servers.smtp.ehlo import ehlo, helo
from mailstack.servers.smtp.housekeeping import help_, noop, quit_, rset, unrecognised, vrfy
from mailstack.servers.smtp.lmtp import is_local
from mailstack.servers.smtp.mail import mail
from mailstack.servers.smtp.rcpt import rcpt
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.servers.smtp.starttls import starttls

COMMANDS: Mapping[str, Command] = {
    "EHLO": ehlo,
    "HELO": helo,
    "STARTTLS": starttls,
    "AUTH": auth,
    "MAIL": mail,
    "RCPT": rcpt,
    "DATA": data,
    "BDAT": bdat,
    "RSET": rset,
    "NOOP": noop,
    "VRFY": vrfy,
    "HELP": help_,
    "QUIT": quit_,
}


LMTP_COMMANDS: Mapping[str, Command] = {
    # RFC 2033 §4.1: LHLO in the place of EHLO and HELO, which are refused.
    "LHLO": ehlo,
    **{word: command for word, command in COMMANDS.items() if word not in ("EHLO", "HELO", "AUTH")},
}


def smtp_protocol(
    service: Callable[[], SmtpService], role: SmtpRole, connections: Connections, entrance: Entrance
) -> ProtocolFactory:
    """For net.listen. service: asked once for each connection, so that a reload disturbs none that is open."""
    # aiosmtpd logs the lines it reads, and people type passwords where a command is wanted.
    logging.getLogger("mail.log").disabled = True

    is_lmtp = role is SmtpRole.LMTP

    def accept(came_from: str = "") -> asyncio.Protocol:
        connection = SmtpConnection(
            service(),
            role,
            commands=LMTP_COMMANDS if is_lmtp else COMMANDS,
            unrecognised=unrecognised,
            may_connect=is_local if is_lmtp else _is_anyone,
            connections=connections,
            entrance=entrance,
        )
        connection.peer_host = came_from
        return connection

    return accept


def _is_anyone(_: str) -> bool:
    return True
