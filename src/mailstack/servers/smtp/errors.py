"""The one table from domain errors to SMTP replies. Texts are generic: details are the log's.

RFC 5321 §4.2.3, RFC 3463.
"""

from collections.abc import Mapping
from dataclasses import replace

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Conflict,
    Damaged,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooLarge,
    TooMany,
    TryAgainLater,
    Unsupported,
    UseRefused,
)
from mailstack.servers.smtp.replies import CONVERSION_NEEDED, LOCAL_ERROR, MAIL_LOOP, REQUIRETLS_UNSUPPORTED
from mailstack.servers.smtp.replies import TOO_LARGE as TOO_LARGE_REPLY
from mailstack.services.inbound.mail import Defer, Reason, Reject

REPLIES: Mapping[type[DomainError], SmtpReply] = {
    NotFound: SmtpReply(code=550, status="5.1.1", text="No such recipient here"),
    AlreadyExists: SmtpReply(code=554, status="5.3.0", text="Not possible"),
    # RFC 3463 §3.3, X.2.2: a full mailbox is a persistent transient failure, its owner can clear it.
    QuotaExceeded: SmtpReply(code=452, status="4.2.2", text="Mailbox full"),
    TooLarge: TOO_LARGE_REPLY,
    TooMany: TOO_LARGE_REPLY,
    Forbidden: SmtpReply(code=550, status="5.7.1", text="Delivery not authorised"),
    NotOwnAddress: SmtpReply(code=550, status="5.7.1", text="Sender address is not yours"),
    AuthenticationFailed: SmtpReply(code=535, status="5.7.8", text="Authentication credentials invalid"),
    Conflict: LOCAL_ERROR,
    TryAgainLater: LOCAL_ERROR,
    Unsupported: SmtpReply(code=554, status="5.3.3", text="Not supported"),
    UseRefused: SmtpReply(code=554, status="5.3.3", text="Not supported"),
    Invalid: SmtpReply(code=554, status="5.6.0", text="Message or address not acceptable"),
    Damaged: LOCAL_ERROR,
}

REJECTIONS: Mapping[Reason, SmtpReply] = {
    Reason.LOOP: MAIL_LOOP,
    # RFC 5322 §3.6.2, RFC 7372 §3.2: X.7.25 and others are for names and addresses; this is a fault of the message.
    Reason.FROM_FIELD: SmtpReply(
        code=550,
        status="5.6.0",
        text="The From field must name one author, or several of one domain; mend it and resend",
    ),
    # RFC 9989 §7.3, RFC 7372 §3.2: X.7.26, multiple authentication checks failed.
    Reason.DMARC: SmtpReply(
        code=550,
        status="5.7.26",
        text="Refused as the DMARC policy of the From domain asks: neither SPF nor DKIM passes for it;"
        " send through its own servers",
    ),
    # RFC 7372 §3.2: X.7.23, SPF validation failed.
    Reason.SPF: SmtpReply(
        code=550, status="5.7.23", text="The SPF record of the sender's domain does not let your server send for it"
    ),
    # RFC 7372 §3.2: X.7.24, SPF validation error; here, of any of the checks.
    Reason.SENDER_UNKNOWN_NOW: SmtpReply(
        code=451, status="4.7.24", text="DNS of the sender's domain does not answer; try again later"
    ),
    Reason.REQUIRES_TLS: REQUIRETLS_UNSUPPORTED,
    Reason.BINARY: CONVERSION_NEEDED,
    # RFC 3463 §3.8, X.7.1: delivery not authorised; goes on with the list's name and its own words.
    Reason.LISTED: SmtpReply(code=550, status="5.7.1", text="Your server's address is on a blocklist,"),
    # RFC 6647 §5: 4yz, with a text that says what happens; goes on with how long.
    Reason.GREYLISTED: SmtpReply(code=451, status="4.7.1", text="Not known here yet, please try again"),
}


def reply_to(decision: Reject | Defer) -> SmtpReply:
    reply = REJECTIONS[decision.reason]
    return replace(reply, text=f"{reply.text} {decision.told}") if decision.told else reply


def reply_for(error: DomainError) -> SmtpReply:
    return REPLIES.get(type(error), LOCAL_ERROR)
