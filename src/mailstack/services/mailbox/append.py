"""A message that a mail program brings. RFC 9051 §6.3.12."""

import asyncio
from collections.abc import Sequence

from mailstack.formats.digest import digest_message
from mailstack.model.errors import Invalid
from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant
from mailstack.model.line_ends import has_bare_line_end, with_crlf
from mailstack.model.message import Appended, FlagOperation, MessageDigest, NewMessage, RawMessage
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.flags import flag_change

INLINE_OCTETS = 256 * 1024
"""Above this a message is digested in a thread: the other sessions go on meanwhile."""


async def append(
    mail: AccountMail, mailbox_id: MailboxId, raw: RawMessage, *, flags: Sequence[str], received_at: Instant
) -> Appended:
    """Raises Invalid for what is no message; NotFound, QuotaExceeded, TryAgainLater."""
    change = flag_change(FlagOperation.SET, flags)
    _check(raw)
    raw, digest = await _digested(raw)
    message = NewMessage(
        raw=raw, received_at=received_at, digest=digest, keywords=change.keywords, is_deleted=change.is_deleted
    )
    appended = await mail.messages.append(mail.account_id, mailbox_id, [message], quota_bytes=mail.account.quota_bytes)
    return appended[0]


def _check(raw: RawMessage) -> None:
    if not len(raw):
        raise Invalid("a message is empty")
    if raw.find(b"\0") >= 0:
        # RFC 9051 §9: CHAR8 has no NUL, so such a message could never be sent out again.
        raise Invalid("a message holds NUL")


async def _digested(raw: RawMessage) -> tuple[RawMessage, MessageDigest]:
    if len(raw) <= INLINE_OCTETS:
        return _normalized_and_digested(raw)
    return await asyncio.to_thread(_normalized_and_digested, raw)


def _normalized_and_digested(raw: RawMessage) -> tuple[RawMessage, MessageDigest]:
    # RFC 5322 §2.3: CR and LF only occur together. Programs that keep bare LF mean line ends.
    if has_bare_line_end(raw):
        raw = b"".join(with_crlf(raw))
    return raw, digest_message(raw)
