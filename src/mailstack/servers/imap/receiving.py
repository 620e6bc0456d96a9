"""Messages on their way in: what APPEND and REPLACE say, as it comes.

Known faults are answered as early as can be, so that nobody sends 50 MB for a NO. RFC 9051 §6.3.12, RFC 7888.
"""

from mailstack.model.errors import Damaged, DomainError, Forbidden, NotFound, TooLarge, Unsupported
from mailstack.model.ids import MailboxId
from mailstack.servers.imap.errors import completed_with
from mailstack.servers.imap.receipt import Receipt, Target
from mailstack.servers.imap.session import Completed, Session, State, no
from mailstack.services.mailbox.access import check_readable
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.catenate import read_part
from mailstack.services.mailbox.places import find_readable, find_target
from mailstack.wire.imap import capability
from mailstack.wire.imap.commands.append import Append
from mailstack.wire.imap.events import MessageBegins, MessageUrl, TextBegins
from mailstack.wire.imap.responses import Continuation
from mailstack.wire.imap.url import ImapUrl, parse_url

GO_ON = Continuation(data=b"go on")
TRY_CREATE = no("No such mailbox", "TRYCREATE")
"""RFC 9051 §6.3.12, §6.4.7: the client may create it and try again."""
TOO_BIG = no("Message too large", "TOOBIG")
UTF8_NOT_ENABLED = no("UTF-8 is not switched on", "CANNOT")


def begin_message(session: Session, event: MessageBegins) -> None:
    """Nothing is answered yet, for a message that is only begun waits for nothing."""
    if session.receipt is None or len(event.request.uploads) == 1:
        session.drop_receipt()
        session.receipt = Receipt(request=event.request)
        return
    session.receipt.request = event.request
    session.receipt.spool.next_message()


async def begin_text(session: Session, event: TextBegins) -> None:
    receipt = _receipt(session)
    refusal = await _refusal(session, receipt, event.size_octets)
    if refusal is not None:
        _refuse(session, refusal)
        return
    if event.is_binary:
        receipt.binary.add(len(receipt.request.uploads))
    if event.is_synchronizing:
        session.connection.say(GO_ON)


async def take_url(session: Session, event: MessageUrl) -> None:
    receipt = _receipt(session)
    refusal = await _refusal(session, receipt, 0)
    if refusal is None and session.state is not State.NOT_AUTHENTICATED:
        refusal = await _fetched(session, receipt, event.url)
    if refusal is not None:
        _refuse(session, refusal)


def keep(session: Session, octets: bytes) -> None:
    _receipt(session).keep(octets)


async def target_of(session: Session, receipt: Receipt) -> Target | None:
    """None: no such mailbox. Raises DomainError."""
    if receipt.target is None:
        place = await find_target(session.mail, receipt.request.mailbox)
        if place is None:
            return None
        mail, mailbox = place.mail, place.mailbox
        quota = mail.account.quota_bytes
        receipt.target = Target(
            mail=mail,
            mailbox_id=mailbox.mailbox_id,
            uid_validity=mailbox.uid_validity,
            room_octets=None if quota is None else quota - await mail.messages.used_bytes(mail.account_id),
        )
    return receipt.target


def _receipt(session: Session) -> Receipt:
    if session.receipt is None:
        raise RuntimeError("no message has begun")
    return session.receipt


def _refuse(session: Session, refusal: Completed) -> None:
    session.drop_receipt()
    session.machine.refuse_message(refusal.code, refusal.text)


async def _refusal(session: Session, receipt: Receipt, size_octets: int) -> Completed | None:
    if session.state is State.NOT_AUTHENTICATED:
        return None  # the dispatcher answers, as it does to all else that comes too early
    if receipt.request.uploads[-1].is_utf8 and capability.UTF8 not in session.enabled:
        # Deviates: RFC 6855 §4 also wants NO for 8-bit header fields outside UTF8 (…). Clients that copy old mail from
        # elsewhere bring such fields, and have no other place for it.
        return UTF8_NOT_ENABLED
    if receipt.spool.message_octets + size_octets > session.service.limits.message_octets:
        return TOO_BIG
    try:
        target = await target_of(session, receipt)
    except DomainError as fault:
        return completed_with(fault)
    if target is None:
        return TRY_CREATE
    return _over_quota(receipt, target, size_octets)


def _over_quota(receipt: Receipt, target: Target, size_octets: int) -> Completed | None:
    if target.room_octets is None or not isinstance(receipt.request, Append):
        return None  # RFC 8508 §3.4: what REPLACE frees counts too, and is known when it is done
    if receipt.spool.size_octets + size_octets <= target.room_octets:
        return None
    return no("The account is full", "OVERQUOTA")


async def _fetched(session: Session, receipt: Receipt, url: str) -> Completed | None:
    """Puts what the URL names into the message. RFC 4469 §3."""
    parsed = parse_url(url)
    if parsed is None:
        return _bad_url(url)
    limits = session.service.limits
    room = limits.message_octets - receipt.spool.message_octets
    try:
        mail, mailbox_id = await _named(session, parsed)
        octets = await read_part(
            mail, mailbox_id, parsed.uid, section=parsed.section, partial=parsed.partial, at_most=room
        )
    except TooLarge:
        return TOO_BIG
    except (NotFound, Forbidden, Unsupported, Damaged):
        return _bad_url(url)
    except DomainError as fault:
        return completed_with(fault)
    if receipt.spool.size_octets + len(octets) > 2 * limits.message_octets:
        return TOO_BIG
    receipt.keep(octets)
    return _over_quota(receipt, receipt.target, 0) if receipt.target is not None else None


async def _named(session: Session, url: ImapUrl) -> tuple[AccountMail, MailboxId]:
    """RFC 4469 §3: relative to the selected mailbox. Raises NotFound."""
    if url.mailbox is None:
        if session.selected is None:
            raise NotFound("no mailbox is selected")
        await check_readable(session.selected)
        return session.selected.mail, session.selected.mailbox_id
    place = await find_readable(session.mail, url.mailbox)
    if url.uid_validity not in (None, place.mailbox.uid_validity):
        raise NotFound("the mailbox of that UIDVALIDITY is no more")
    return place.mail, place.mailbox.mailbox_id


def _bad_url(url: str) -> Completed:
    """RFC 4469 §4.1: the URL is said again, as far as it is one."""
    shown = "".join(one for one in url[:200] if " " < one < "\x7f" and one not in '[]\\"')
    return no("A URL names nothing here", f"BADURL {shown}" if shown else "BADURL -")
