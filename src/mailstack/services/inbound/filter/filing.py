"""Mail that scripts put into mailboxes, with the flags they gave it and as they edited it. RFC 5228 §4.1, RFC 5232."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from mailstack.model.errors import Invalid, NotFound, QuotaExceeded
from mailstack.model.flags import DELETED, MAX_KEYWORDS_PER_MESSAGE, canonical_flag
from mailstack.model.ids import MailboxId
from mailstack.model.message import NewMessage
from mailstack.services.inbound.deliver import digest_of
from mailstack.services.inbound.filter.work import Work
from mailstack.sieve.actions import FileInto, Flags, Keep

log = structlog.get_logger()


async def file(work: Work, places: Sequence[Keep | FileInto]) -> None:
    filed: set[MailboxId | None] = set()
    for action in places:
        mailbox_id = await _mailbox(work, action)
        if mailbox_id in filed:
            continue  # RFC 5228 §2.10.3: two scripts may have named the same mailbox
        try:
            await _append(work, await _form(work, action), mailbox_id)
        except QuotaExceeded as fault:
            if not filed:
                raise
            # It is in a mailbox; to say that it is in none would bring it there again and again.
            log.warning("not filed", trace=work.letter.trace_id, account=work.account.login, fault=fault.detail)
            return
        filed.add(mailbox_id)


async def _mailbox(work: Work, action: Keep | FileInto) -> MailboxId | None:
    """None: where mail goes that no script files."""
    if isinstance(action, Keep):
        return None
    found = await work.knowledge.places.place_of(work.account.account_id, action)
    if found is None:
        # RFC 5228 §4.1: where there is no such mailbox, mail may go to another that is known to be there.
        log.info("no such mailbox", trace=work.letter.trace_id, account=work.account.login, mailbox=action.mailbox)
    return found


async def _append(work: Work, message: NewMessage, mailbox_id: MailboxId | None) -> None:
    if mailbox_id is not None:
        try:
            await work.delivery.append_to(message, work.account, mailbox_id)
        except NotFound:  # it was deleted in this moment
            log.info("mailbox gone", trace=work.letter.trace_id, account=work.account.login)
        else:
            return
    await work.delivery.append(message, work.account, is_suspicious=work.letter.is_suspicious)


async def file_copy(work: Work, raw: bytes, into: FileInto) -> None:
    """RFC 8580 §3: of what was sent because of the mail. Raises as Delivery.append does."""
    message = NewMessage(raw=raw, received_at=work.letter.received_at, digest=await digest_of(raw))
    await _append(work, _flagged(message, into.flags), await _mailbox(work, into))


async def _form(work: Work, action: Keep | FileInto) -> NewMessage:
    message, raw = work.message, action.raw
    return _flagged(message if raw is None else replace(message, raw=raw, digest=await digest_of(raw)), action.flags)


def _flagged(message: NewMessage, flags: Flags | None) -> NewMessage:
    found = _flags(flags)
    return replace(message, keywords=found - {DELETED}, is_deleted=DELETED in found) if found else message


def _flags(flags: Flags | None) -> frozenset[str]:
    """RFC 5232 §2: what is no flag is left out."""
    found: list[str] = []
    for flag in flags or ():
        try:
            found.append(canonical_flag(flag))
        except Invalid:
            continue
    return frozenset(found[:MAX_KEYWORDS_PER_MESSAGE])
