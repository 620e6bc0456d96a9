"""The replies that are the protocol's own, each with its enhanced status code, and how replies look on the wire.

Replies that follow from domain errors are in errors.py. RFC 5321 §4.2, RFC 2034, RFC 3463.
"""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant, iso

MAX_REPLY_OCTETS = 512


class Refused(Exception):
    """A command is not carried out; the peer is told why and may go on, unless the reply is a 421."""

    def __init__(self, reply: SmtpReply, *, reason: str = "", detail: str = "") -> None:
        """reason, detail: for the log."""
        super().__init__(str(reply))
        self.reply = reply
        self.reason = reason
        self.detail = detail


class FramingLost(Refused):
    """Where commands begin is no longer certain: the reply is the last thing that is said."""


def with_trace(reply: SmtpReply, trace_id: str) -> SmtpReply:
    """The id under which the log knows the transaction goes last, and is never what is cut off."""
    suffix = f" (trace {trace_id})"
    *before, last = reply.text.split("\n")
    # RFC 5321 §4.5.3.1.5: 512 octets a line, with code and CRLF.
    room = MAX_REPLY_OCTETS - len(f"{reply.code} {reply.status} {suffix}\r\n")
    return replace(reply, text="\n".join([*before, f"{last[:room]}{suffix}"]))


def encode(reply: SmtpReply) -> bytes:
    """RFC 5429 §2.5: every line of a text has the status."""
    if "\n" not in reply.text:
        return f"{reply}\r\n".encode("ascii")
    return encode_lines(reply.code, [f"{reply.status} {line}".strip() for line in reply.text.split("\n")])


def encode_lines(code: int, lines: Sequence[str]) -> bytes:
    """RFC 5321 §4.2.1: every line but the last has a hyphen behind the code."""
    last = len(lines) - 1
    return "".join(f"{code}{' ' if at == last else '-'}{line}\r\n" for at, line in enumerate(lines)).encode("ascii")


def banned(until: Instant) -> SmtpReply:
    """Not for good: a mail server that shares its address with somebody keeps its mail until then."""
    return _reply(421, "4.7.0", f"Too much was tried from your address, come again after {iso(until)}")


def _reply(code: int, status: str, text: str) -> SmtpReply:
    return SmtpReply(code=code, status=status, text=text)


# RFC 3463 §3: X.1 addressing, X.2 mailbox, X.3 mail system, X.4 network, X.5 protocol, X.6 content, X.7 security.
OK = _reply(250, "2.0.0", "OK")
BYE = _reply(221, "2.0.0", "Bye")
SENDER_OK = _reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = _reply(250, "2.1.5", "Recipient OK")
# RFC 5321 §3.5.3, §7.3: who exists is told to nobody who merely asks.
CANNOT_VERIFY = _reply(252, "2.5.0", "Send some mail and see")
HELP = _reply(214, "2.0.0", "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; see RFC 5321")
READY_FOR_TLS = _reply(220, "2.0.0", "Ready to start TLS")
# RFC 5321 §4.2.3: an intermediate reply has no class in RFC 3463, and so no status code.
SEND_DATA = _reply(354, "", "End data with <CR><LF>.<CR><LF>")
AUTHENTICATED = _reply(235, "2.7.0", "Authenticated")

# RFC 5321 §4.3.1. Not for good: who is only hasty may be slower the next time.
TALKED_EARLY = _reply(421, "4.5.1", "You spoke before the greeting, wait for it the next time")
SHUTTING_DOWN = _reply(421, "4.3.2", "Service closing, try again")
# RFC 5321 §3.1: a greeting of 554 says that there is no service here for this client.
PEER_NOT_ALLOWED = _reply(554, "5.7.1", "LMTP is for servers on this machine only")
TOO_MANY_CONNECTIONS = _reply(421, "4.7.0", "Too many connections, try again later")
TOO_MANY_OF_ACCOUNT = _reply(421, "4.7.0", "Too many connections of this account, close one and try again")
TOO_MANY_ERRORS = _reply(421, "4.7.0", "Too many errors")
TOO_MANY_TRANSACTIONS = _reply(421, "4.7.0", "Enough mail over one connection, open another")
TOO_MUCH_DATA = _reply(421, "4.3.4", "Far more data than the message size allows")
TIMED_OUT = _reply(421, "4.4.2", "Timed out")

UNRECOGNISED = _reply(500, "5.5.2", "Command not recognised")
LINE_TOO_LONG = _reply(500, "5.5.2", "Line too long")
# RFC 5321 §2.3.8: a line ends in CR LF, and a server must not take anything else for its end.
BARE_LINE_FEED = _reply(500, "5.5.2", "Lines must end in CR LF")
SYNTAX = _reply(501, "5.5.2", "Syntax error")
BAD_ARGUMENT = _reply(501, "5.5.4", "Invalid argument")
# RFC 3030 §2: how many octets follow is then unknown, and with it where the next command begins.
BAD_CHUNK = _reply(
    501, "5.5.4", "BDAT needs the size of its chunk in octets; closing, for what follows cannot be told apart"
)
BAD_REVERSE_PATH = _reply(501, "5.1.7", "Bad sender address syntax")
BAD_FORWARD_PATH = _reply(501, "5.1.3", "Bad recipient address syntax")
# RFC 6531 §3.5: X.6.7, internationalised addresses need SMTPUTF8.
NEEDS_SMTPUTF8 = _reply(553, "5.6.7", "Address needs SMTPUTF8")
UNKNOWN_PARAMETER = _reply(555, "5.5.4", "Unknown parameter")
BAD_SEQUENCE = _reply(503, "5.5.1", "Bad sequence of commands")
NO_VALID_RECIPIENTS = _reply(554, "5.5.1", "No valid recipients")
TOO_MANY_RECIPIENTS = _reply(452, "4.5.3", "Too many recipients, send the rest in another transaction")
TOO_LARGE = _reply(552, "5.3.4", "Message too large")
TEXT_LINE_TOO_LONG = _reply(554, "5.6.0", "A line of the message is too long")
# RFC 5321 §2.3.8, §4.1.1.4: bare CR or LF in a message is how mail is smuggled past a server that ends lines elsewhere.
BARE_CR_OR_LF = _reply(550, "5.6.11", "Message holds a bare CR or LF")
MAIL_LOOP = _reply(554, "5.4.6", "Too many hops, this mail goes in circles")
REQUIRETLS_NEEDS_TLS = _reply(530, "5.7.0", "REQUIRETLS needs TLS: issue a STARTTLS command first")
# RFC 3463 §3.7, X.6.3: RFC 3030 §3 has the message converted or returned.
CONVERSION_NEEDED = _reply(
    554, "5.6.3", "Message would leave this server, and its binary parts cannot be encoded: send without BINARYMIME"
)
TLS_REQUIRED = _reply(530, "5.7.0", "Must issue a STARTTLS command first")
AUTHENTICATION_REQUIRED = _reply(530, "5.7.0", "Authentication required")
NO_TLS = _reply(454, "4.7.0", "TLS not available")
# RFC 4954 §6
LOGIN_LATER = _reply(454, "4.7.0", "Temporary authentication failure, try again in a minute")
NOT_IMPLEMENTED = _reply(502, "5.5.1", "Command not implemented")
UNKNOWN_MECHANISM = _reply(504, "5.5.4", "Unknown authentication mechanism")
AUTHENTICATION_CANCELLED = _reply(501, "5.7.0", "Authentication cancelled")
BAD_BASE64 = _reply(501, "5.5.2", "Cannot decode the response")
AUTHENTICATION_BROKEN = _reply(535, "5.7.8", "Authentication credentials invalid")
LOCAL_ERROR = _reply(451, "4.3.0", "Local error, try again later")
