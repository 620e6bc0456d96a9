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
    InUse,
    Invalid,
    LineTooLong,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooLarge,
    TooMany,
    TryAgainLater,
    Unsupported,
    UseRefused,
)
from mailstack.servers.smtp.replies import CONVERSION_NEEDED, LOCAL_ERROR, MAIL_LOOP, Refused
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
    # RFC 5321 §4.2.3: 553, mailbox name not allowed. Deviates: RFC 6409 §6.1 has 550, mailbox unavailable, which
    # is also said of recipients; of a sender most servers say 553.
    NotOwnAddress: SmtpReply(code=553, status="5.7.1", text="Sender address is not yours"),
    InUse: SmtpReply(code=554, status="5.3.0", text="Not possible"),
    AuthenticationFailed: SmtpReply(code=535, status="5.7.8", text="Authentication credentials invalid"),
    Conflict: LOCAL_ERROR,
    TryAgainLater: LOCAL_ERROR,
    Unsupported: SmtpReply(code=554, status="5.3.3", text="Not supported"),
    UseRefused: SmtpReply(code=554, status="5.3.3", text="Not supported"),
    Invalid: SmtpReply(code=554, status="5.6.0", text="Message or address not acceptable"),
    # RFC 3463 §3.7, X.6.2: conversion required and prohibited.
    LineTooLong: SmtpReply(
        code=554,
        status="5.6.2",
        text="A line of over 998 octets cannot be encoded anew where it stands; break it and send again",
    ),
    Damaged: LOCAL_ERROR,
}

REJECTIONS: Mapping[Reason, SmtpReply] = {
    # RFC 5321 §4.5.3.1.10: 552, too much mail data; RFC 3463 §3.4: X.3.4. Goes on with how much would do.
    Reason.HEADER: SmtpReply(code=552, status="5.3.4", text="The header of the message is too large,"),
    Reason.LOOP: MAIL_LOOP,
    # RFC 5322 §3.6.2, RFC 7372 §3.3: X.7.25 and others are for names and addresses; this is a fault of the message.
    Reason.FROM_FIELD: SmtpReply(
        code=550,
        status="5.6.0",
        text="The From field must name one author, or several of one domain; mend it and resend",
    ),
    # RFC 9989 §7.2; RFC 7372 §3.4: X.7.26, multiple authentication checks failed.
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
    Reason.BINARY: CONVERSION_NEEDED,
    # RFC 3463 §3.8, X.7.1: delivery not authorised; goes on with the list's name and its own words.
    Reason.LISTED: SmtpReply(code=550, status="5.7.1", text="Your server's address is on a blocklist,"),
    # RFC 6647 §5: 4yz, with a text that says what happens; goes on with how long.
    Reason.GREYLISTED: SmtpReply(code=451, status="4.7.1", text="Not known here yet, please try again"),
    # RFC 7372 §3.2: X.7.26, multiple authentication checks failed.
    Reason.NOT_FORWARDED: SmtpReply(
        code=550,
        status="5.7.26",
        text="A recipient is elsewhere, and mail is not sent on there whose sender fails DMARC",
    ),
    Reason.NO_NOTICE: SmtpReply(
        code=550, status="5.7.1", text="This address takes notices of failure only; write to the sender's own address"
    ),
    # RFC 3463 §3.8, X.7.1: delivery not authorised, message refused. Goes on with what it scores.
    Reason.SPAM: SmtpReply(code=550, status="5.7.1", text="This looks like spam to the recipient's server:"),
    # RFC 5429 §2.1.1, §2.2: as the recipient's script says it.
    Reason.FILTER: SmtpReply(code=550, status="5.7.1", text="Refused"),
    Reason.LIST_POSTERS: SmtpReply(
        code=550,
        status="5.7.1",
        text="This list takes mail of those who may post; write from the address that is subscribed",
    ),
    Reason.LIST_UNPROVEN: SmtpReply(
        code=550,
        status="5.7.1",
        text="This list takes mail where DMARC, SPF or DKIM shows that the From address is the sender's;"
        " send through its own servers",
    ),
    Reason.LIST_AUTOMATIC: SmtpReply(
        code=550, status="5.7.1", text="Automatic answers and notices are not posted to a list"
    ),
    # RFC 5321 §4.5.3.1.10: 452, and the rest is for later; RFC 3463 §3.8, X.7.1: not authorised, for now. Goes on with
    # the limit and when it leaves more.
    Reason.SENDING_LIMIT: SmtpReply(code=452, status="4.7.1", text="This account has sent all that it may for now:"),
    Reason.LIST_LEAVING: SmtpReply(
        code=550,
        status="5.7.1",
        text="Only who is subscribed can unsubscribe: use the link in the list's mail, or write from that address",
    ),
}


def refusal_for(decision: Reject | Defer) -> Refused:
    """To be raised."""
    reply = REJECTIONS[decision.reason]
    if decision.told:
        reply = replace(reply, text=f"{reply.text} {decision.told}")
    return Refused(reply, reason=decision.reason.value, detail=decision.detail)


def reply_for(error: DomainError) -> SmtpReply:
    return REPLIES.get(type(error), LOCAL_ERROR)
