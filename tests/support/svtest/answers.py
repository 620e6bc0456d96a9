"""Mail that a script sends: answers, refusals and notifications, as formats/ writes them."""

from mailstack.formats.addresses import Mailbox, address_text, parse_mailboxes
from mailstack.formats.auto_reply import AutoReply, why_not, write_auto_reply
from mailstack.formats.charsets import guess
from mailstack.formats.feedback_report import FeedbackReport, write_feedback_report
from mailstack.formats.headers import header_end, scan_fields
from mailstack.formats.list_fields import is_automatic
from mailstack.formats.mailto import parse_mailto
from mailstack.formats.mdn import Refused, write_refused
from mailstack.formats.notification import Notification, recipients, write_notification
from mailstack.formats.words import decode_words
from mailstack.sieve.actions import Notify, Reject, Report, Vacation
from mailstack.sieve.entity import Entity
from mailstack.sieve.run import Run, SieveEnvelope
from tests.support.svtest.senders import sender_of, user_of
from tests.support.svtest.world import Sent, World

_HOST = "mail.example.com"
_NAMING = ("to", "cc", "bcc", "resent-to", "resent-cc")


def answer(world: World, run: Run, action: Vacation) -> None:
    mail = run.mail
    envelope = mail.envelope
    fields = scan_fields(mail.raw)
    own = _own(world, run, action)
    named = _named(Entity(mail.raw))
    if world.settings.text("sieve_vacation_check_recipient") == "no":
        own = {*own, *named}
    if why_not(fields, reverse_path=envelope.sender, own=own):
        return
    sender, name = _sender(action, next((one for one in named if one in own), envelope.recipient))
    is_header_trusted = world.settings.text("sieve_vacation_to_header_ignore_envelope") == "yes"
    reply = AutoReply(
        to=_author(Entity(mail.raw)) if is_header_trusted else envelope.sender,
        sender=sender,
        name=name,
        subject=action.subject or _subject(world, run),
        text=action.reason,
        is_mime=action.is_mime,
        written_at=mail.received_at,
        domain=_HOST,
        fields=fields,
    )
    raw = write_auto_reply(reply, token="0123456789abcdef")
    is_from_recipient = world.settings.text("sieve_vacation_send_from_recipient") == "yes"
    path = envelope.recipient if is_from_recipient else ""
    world.sent.append(Sent(raw, SieveEnvelope(sender=path, recipient=envelope.sender)))


def refuse(world: World, run: Run, action: Reject) -> None:
    mail = run.mail
    if not mail.envelope.sender:
        return
    refused = Refused(
        reporting_host=_HOST,
        to=mail.envelope.sender,
        recipient=mail.envelope.recipient,
        reason=action.reason,
        written_at=mail.received_at,
        header=bytes(mail.raw[: header_end(mail.raw)]),
    )
    raw = write_refused(refused, token="0123456789abcdef")
    world.sent.append(Sent(raw, SieveEnvelope(sender="", recipient=mail.envelope.sender)))


def tell(world: World, run: Run, action: Notify) -> None:
    mail = run.mail
    fields = scan_fields(mail.raw)
    uri = parse_mailto(action.method)
    # RFC 5436 §2.7: nothing that was sent automatically is told of.
    if uri is None or is_automatic(fields):
        return
    given = parse_mailboxes(action.sender.encode())
    sender = address_text(given[0]) if given else mail.envelope.recipient
    # RFC 5436 §2.3: the settings decide. §2.7: of a notice, the notification has the null path, too.
    setting = world.settings.text("sieve_notify_mailto_envelope_from") or (sender if given else "postmaster")
    path = sender_of(world, mail.envelope, setting)
    notification = Notification(
        uri=uri,
        sender=sender,
        owner=mail.envelope.recipient,
        message=action.message,
        written_at=mail.received_at,
        domain=_HOST,
        fields=fields,
    )
    raw = write_notification(notification, token="0123456789abcdef")
    for recipient in recipients(uri):
        world.sent.append(Sent(raw, SieveEnvelope(sender=path, recipient=recipient)))


def report(world: World, run: Run, action: Report) -> None:
    envelope = run.mail.envelope
    feedback = FeedbackReport(
        feedback_type=action.feedback_type,
        author=sender_of(world, envelope, world.settings.text("sieve_report_from") or "postmaster"),
        to=action.address,
        text=action.message,
        raw=run.mail.raw,
        has_body=action.has_body,
        reverse_path=envelope.sender,
        reporting_user=user_of(world, envelope),
        written_at=run.mail.received_at,
        domain=_HOST,
    )
    raw = write_feedback_report(feedback, token="0123456789abcdef")
    world.sent.append(Sent(raw, SieveEnvelope(sender="", recipient=action.address)))


def _author(message: Entity) -> str:
    """Whoever Sender names, or else From."""
    named = (field for name in ("sender", "from") for field in message.header.occurrences(name))
    return next((address_text(mailbox) for field in named for mailbox in field.addresses), "")


def _own(world: World, run: Run, action: Vacation) -> set[str]:
    found = [run.mail.envelope.recipient, *run.mail.addresses, *action.addresses]
    if world.settings.text("sieve_vacation_use_original_recipient") == "yes":
        found.append(world.original_recipient)
    return {address.casefold() for address in found if address}


def _named(message: Entity) -> list[str]:
    return [
        address_text(mailbox).casefold()
        for name in _NAMING
        for field in message.header.occurrences(name)
        for mailbox in field.addresses
    ]


def _sender(action: Vacation, own: str) -> tuple[str, str]:
    given: tuple[Mailbox, ...] = parse_mailboxes(action.sender.encode())
    return (address_text(given[0]), decode_words(guess(given[0].name).encode())) if given else (own, "")


def _subject(world: World, run: Run) -> str:
    """As the settings of the dialect have it, "" where they say nothing of it."""
    given = run.message.header.texts("subject")
    if not given:
        return world.settings.text("sieve_vacation_default_subject")
    return world.settings.text("sieve_vacation_default_subject_template").replace("%{subject}", given[0])
