"""Messages that a mail program brings, one or several at once, also in place of an old one. RFC 9051 §6.3.12, RFC 3502,
RFC 8508. All or none are kept.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.formats.binary import without_binary
from mailstack.formats.digest import digest_message
from mailstack.model.errors import Invalid, Unsupported
from mailstack.model.ids import MailboxId, Uid
from mailstack.model.instant import Instant
from mailstack.model.line_ends import has_bare_line_end, with_crlf
from mailstack.model.message import Appended, FlagOperation, MessageDigest, NewMessage, RawMessage
from mailstack.model.rights import Right, Rights
from mailstack.services.mailbox.access import require, require_selected
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.flags import allowed_flags, flag_change
from mailstack.services.mailbox.selected import SelectedMailbox

INLINE_OCTETS = 256 * 1024
"""Above this a message is digested in a thread: the other sessions go on meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """is_binary: RFC 3516 §4.4: bodies that say they are binary may hold anything."""

    raw: RawMessage
    flags: Sequence[str]
    received_at: Instant
    is_binary: bool = False


async def append(mail: AccountMail, mailbox_id: MailboxId, arrivals: Sequence[Arrival]) -> Sequence[Appended]:
    """Raises Invalid for what is no message; NotFound, Forbidden, QuotaExceeded, TryAgainLater."""
    rights = await require(mail, mailbox_id, Right.INSERT)
    messages = [await message_of(arrival, rights) for arrival in arrivals]
    return await mail.messages.append(mail.account_id, mailbox_id, messages, quota_bytes=mail.account.quota_bytes)


async def replace(
    selected: SelectedMailbox, uid: Uid, arrival: Arrival, *, target_mail: AccountMail, target: MailboxId
) -> Appended:
    """Raises as append does; Conflict when the old message is gone; Forbidden in a mailbox opened for reading."""
    selected.check_writable()
    mail = selected.mail
    if target_mail.account_id != mail.account_id:
        # RFC 8508 §3.4 wants one action, and two accounts are two databases.
        raise Unsupported("a message is replaced by one of the same account")
    # RFC 8508 §5: the rights of APPEND there, and of STORE \\Deleted and EXPUNGE here.
    await require_selected(selected, Right.DELETE_MESSAGES, Right.EXPUNGE)
    message = await message_of(arrival, await require(target_mail, target, Right.INSERT))
    return await mail.messages.replace(
        mail.account_id, selected.mailbox_id, uid, target, message, quota_bytes=mail.account.quota_bytes
    )


async def message_of(arrival: Arrival, rights: Rights) -> NewMessage:
    """rights: where it comes to lie. Raises Invalid for what is no message."""
    # RFC 4314 §4: flags that may not be set are left out, and nothing fails for it.
    change = allowed_flags(flag_change(FlagOperation.SET, arrival.flags), rights)
    if len(arrival.raw) <= INLINE_OCTETS:
        raw, digest = _digested(arrival.raw, arrival.is_binary)
    else:
        raw, digest = await asyncio.to_thread(_digested, arrival.raw, arrival.is_binary)
    return NewMessage(
        raw=raw,
        received_at=arrival.received_at,
        digest=digest,
        keywords=change.keywords,
        is_deleted=change.is_deleted,
    )


def _digested(raw: RawMessage, is_binary: bool) -> tuple[RawMessage, MessageDigest]:
    if not len(raw):
        raise Invalid("a message is empty")  # RFC 3502 §6.3.11: and so a client calls off what it has begun
    if is_binary:
        # RFC 3516 §4.4 lets a server change the encoding; §4.3: BODY[] must be fit for whoever cannot take NUL.
        raw = without_binary(raw)
    if raw.find(b"\0") >= 0:
        # RFC 9051 §9: CHAR8 has no NUL, so such a message could never be sent out again.
        raise Invalid("a message holds NUL")
    # RFC 5322 §2.3: CR and LF only occur together. Programs that keep bare LF mean line ends.
    if has_bare_line_end(raw):
        raw = b"".join(with_crlf(raw))
    return raw, digest_message(raw)
