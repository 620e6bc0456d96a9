"""One email on its way, or why not, in the words of RFC 8621 §7.5."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import orjson

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.headers import Field, every, scan_fields
from mailstack.model.email import PlacedEmail
from mailstack.model.email_submission import EmailSubmission
from mailstack.model.errors import DomainError, Forbidden, Invalid, LineTooLong, NotFound, NotOwnAddress
from mailstack.model.handling import Handling
from mailstack.model.ids import MessageId
from mailstack.model.objectid import email_id_of
from mailstack.model.principal import Ability
from mailstack.servers.jmap.method import Call
from mailstack.servers.jmap.submission_envelope import Envelope, envelope_derived, envelope_given, invalid_email
from mailstack.services.inbound.mail import Defer, Reason, Reject
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails import placed
from mailstack.services.outbound.email_sending import Sent
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.submission_given import GivenSubmission, given_submission

REFUSALS: Mapping[Reason, str] = {
    Reason.SENDING_LIMIT: "this account has sent all that it may for now:",
    Reason.LIST_POSTERS: "the list takes mail of those who may post",
    Reason.LIST_UNPROVEN: "the list takes mail whose author is proved",
    Reason.LIST_AUTOMATIC: "automatic answers and notices are not posted to a list",
    Reason.LIST_LEAVING: "only who is subscribed can unsubscribe",
}
"""Of what may be refused to who may submit; the message's own faults are invalidEmail."""

LOOKED_AT = 5_000
"""Recipients, of one email."""
_BINARY = re.compile(rb"\0|^content-transfer-encoding[ \t]*+:[ \t]*+binary", re.IGNORECASE | re.MULTILINE)


async def make_submission(
    call: Call, mail: AccountMail, given: Mapping[str, object], *, if_number: int | None
) -> EmailSubmission:
    """Raises NotSet, Conflict, DomainError."""
    wanted = given_submission(given)
    # Which are no addresses is told first, but not of any number.
    if wanted.envelope is not None and len(wanted.envelope.rcpt_to) > LOOKED_AT:
        _check_count(call, {each.email for each in wanted.envelope.rcpt_to})
    if Ability.SUBMIT not in mail.account.abilities:
        raise _refused(SetFaultType.FORBIDDEN_TO_SEND, "this account sends no mail")
    identity = await call.service.identities.find(mail.account, call.id_of(wanted.identity_id))
    if identity is None:
        raise invalid_property("identityId", "there is no such identity")
    email = await _email(call, mail, wanted)
    try:
        raw = await mail.messages.read(mail.account_id, email.message_id)
    except NotFound:
        raise invalid_property("emailId", "there is no such email") from None
    fields = scan_fields(raw)
    envelope = (
        envelope_derived(fields, identity.email)
        if wanted.envelope is None
        else envelope_given(wanted.envelope, now=call.service.clock())
    )
    await _check(call, mail, envelope)
    sent = Sent(
        identity_id=identity.identity_id,
        message_id=email.message_id,
        thread_id=email.thread_id,
        raw=raw,
        envelope=orjson.dumps(envelope.written).decode(),
        reverse_path=envelope.reverse_path,
        recipients=envelope.paths,
        handling=_handling(envelope.handling, raw),
        notifications=envelope.notifications,
        release_at=envelope.release_at,
    )
    return await _send(call, mail, sent, fields, if_number)


async def _email(call: Call, mail: AccountMail, wanted: GivenSubmission) -> PlacedEmail:
    number = email_id_of(mail.account_id, call.id_of(wanted.email_id))
    there = {} if number is None else await placed(mail, [MessageId(number)])
    if number is None or MessageId(number) not in there:
        raise invalid_property("emailId", "there is no such email")
    email, most = there[MessageId(number)], call.service.limits.message_octets
    if email.size_bytes > most:
        raise NotSet(SetFault(type=SetFaultType.TOO_LARGE, more={"maxSize": most}))
    return email


async def _check(call: Call, mail: AccountMail, envelope: Envelope) -> None:
    """Raises NotSet, DomainError."""
    sending = call.service.sending
    if envelope.invalid:
        raise _invalid_recipients(envelope.invalid)
    if not envelope.paths:
        raise NotSet(SetFault(type=SetFaultType.NO_RECIPIENTS))
    _check_count(call, envelope.paths)
    try:
        await sending.submission.check_sender(mail.account, envelope.reverse_path)
    except (NotOwnAddress, Invalid):
        raise _refused(SetFaultType.FORBIDDEN_MAIL_FROM, "not an address of this account") from None
    unreachable = await sending.submission.unreachable(envelope.paths, envelope.reverse_path)
    if unreachable:
        raise _invalid_recipients(unreachable)


def _check_count(call: Call, recipients: Collection[str]) -> None:
    """Raises NotSet."""
    most = call.service.sending.most_recipients
    if len(recipients) > most:
        raise NotSet(SetFault(type=SetFaultType.TOO_MANY_RECIPIENTS, more={"maxRecipients": most}))


async def _send(
    call: Call, mail: AccountMail, sent: Sent, fields: list[Field], if_number: int | None
) -> EmailSubmission:
    try:
        made = await call.service.sending.send(mail.account, sent, if_number=if_number)
    except NotOwnAddress:
        raise _refused(SetFaultType.FORBIDDEN_FROM, "From or Sender is not an address of this account") from None
    except LineTooLong as fault:
        raise invalid_email(fault.detail, "bodyStructure") from None
    except Invalid as fault:
        raise invalid_email(fault.detail, "from" if _has_bad_author(fields) else "headers") from None
    except (Forbidden, NotFound) as fault:
        # It was there when it was looked for.
        raise _gone(sent, fault) from None
    if isinstance(made, Reject | Defer):
        raise _told(made)
    return made


def _handling(asked: Handling, raw: bytes) -> Handling:
    return replace(asked, is_binary=_BINARY.search(raw) is not None)


def _has_bad_author(fields: list[Field]) -> bool:
    values = every(fields, b"from")
    domains = {mailbox.domain.lower() for value in values for mailbox in parse_mailboxes(value)}
    return len(values) != 1 or len(domains) != 1


def _told(decision: Reject | Defer) -> NotSet:
    if decision.reason is Reason.BINARY:
        return invalid_email("its binary parts cannot be encoded", "bodyStructure")
    text = REFUSALS.get(decision.reason, "not permitted")
    return _refused(SetFaultType.FORBIDDEN_TO_SEND, f"{text} {decision.told}".strip())


def _gone(sent: Sent, fault: DomainError) -> NotSet:
    return _invalid_recipients(sent.recipients if len(sent.recipients) == 1 else (), fault.detail)


def _invalid_recipients(emails: Sequence[str], description: str = "") -> NotSet:
    return NotSet(
        SetFault(type=SetFaultType.INVALID_RECIPIENTS, description=description, more={"invalidRecipients": [*emails]})
    )


def _refused(type_: SetFaultType, description: str) -> NotSet:
    return NotSet(SetFault(type=type_, description=description))
