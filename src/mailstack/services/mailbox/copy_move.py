"""Messages copied or moved to another mailbox, of the same account or of another. RFC 9051 §6.4.7-§6.4.8, RFC 6851.

Within an account the message gets a second place, and keeps its keywords, which are the message's. Across accounts a
new message is made, with the digest of the old one; a move removes the old one once the new one is durable, so a crash
between the two leaves both.
"""

from collections.abc import Iterator, Sequence

from mailstack.model.errors import DomainError
from mailstack.model.flags import NO_KEYWORDS
from mailstack.model.ids import MailboxId, Uid
from mailstack.model.message import Copied, FlagChange, FlagOperation, NewMessage, Placement, StoredMessage
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.rights import Right, Rights
from mailstack.services.mailbox.access import require_selected
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.flags import allowed_flags
from mailstack.services.mailbox.lessons import note_moved
from mailstack.services.mailbox.places import Place
from mailstack.services.mailbox.selected import SelectedMailbox

OCTETS_AT_ONCE = 16 * 1024 * 1024
"""What lies in memory of a copy across accounts; one message may be larger."""

_MARK = FlagChange(operation=FlagOperation.ADD, keywords=NO_KEYWORDS, is_deleted=True)
_UNMARK = FlagChange(operation=FlagOperation.REMOVE, keywords=NO_KEYWORDS, is_deleted=True)


async def copy(selected: SelectedMailbox, uids: NumSet, target: Place) -> Copied:
    """All or none. uids: resolved. Raises NotFound, QuotaExceeded, TryAgainLater."""
    mail = selected.mail
    if target.mail.account_id != mail.account_id:
        return await _copy_across(selected, uids, target)
    copied = await mail.messages.copy(
        mail.account_id,
        selected.mailbox_id,
        uids,
        target.mailbox.mailbox_id,
        quota_bytes=mail.account.quota_bytes,
    )
    await note_moved(selected, target, copied)
    return copied


async def move(selected: SelectedMailbox, uids: NumSet, target: Place) -> Copied:
    """All or none, also to where they are (RFC 9051 §6.4.8: where COPY may, MOVE may): they get new UIDs there.

    Raises as copy; Forbidden in a mailbox opened for reading, or without the rights to take messages away.
    """
    selected.check_writable()
    mail = selected.mail
    # RFC 6851 §3: MOVE is COPY, STORE \Deleted and EXPUNGE, and needs the rights of all three.
    await require_selected(selected, Right.DELETE_MESSAGES, Right.EXPUNGE)
    if target.mail.account_id == mail.account_id:
        moved = await mail.messages.move(mail.account_id, selected.mailbox_id, uids, target.mailbox.mailbox_id)
        await note_moved(selected, target, moved)
        return moved
    copied = await _copy_across(selected, uids, target)
    try:
        await _expunge(mail, selected.mailbox_id, [old for old, _ in copied.pairs])
    except DomainError:
        await _take_back_what_stayed(selected, target, copied)
        raise
    return copied


async def _copy_across(selected: SelectedMailbox, uids: NumSet, target: Place) -> Copied:
    mail = selected.mail
    placements = await mail.messages.placements(mail.account_id, selected.mailbox_id, uids)
    stored = await mail.messages.stored(mail.account_id, [placement.message_id for placement in placements])
    known = {one.message_id: one for one in stored}
    found = [(placement, known[placement.message_id]) for placement in placements if placement.message_id in known]
    pairs: list[tuple[Uid, Uid]] = []
    try:
        for part in _parts(found):
            pairs += await _append(selected, part, target)
    except BaseException:
        # A client that goes away in the middle, too, would find half of the messages twice.
        await _expunge(target.mail, target.mailbox.mailbox_id, [new for _, new in pairs])
        raise
    return Copied(uid_validity=target.mailbox.uid_validity, pairs=tuple(pairs))


def _parts(found: Sequence[tuple[Placement, StoredMessage]]) -> Iterator[list[tuple[Placement, StoredMessage]]]:
    part: list[tuple[Placement, StoredMessage]] = []
    octets = 0
    for one in found:
        if part and octets + one[1].size_bytes > OCTETS_AT_ONCE:
            yield part
            part, octets = [], 0
        part.append(one)
        octets += one[1].size_bytes
    if part:
        yield part


async def _append(
    selected: SelectedMailbox, part: Sequence[tuple[Placement, StoredMessage]], target: Place
) -> list[tuple[Uid, Uid]]:
    source, owner = selected.mail, target.mail
    messages = [
        _message(placement, stored, await source.messages.read(source.account_id, stored.message_id), target.rights)
        for placement, stored in part
    ]
    appended = await owner.messages.append(
        owner.account_id, target.mailbox.mailbox_id, messages, quota_bytes=owner.account.quota_bytes
    )
    return [(placement.uid, new.uid) for (placement, _), new in zip(part, appended, strict=True)]


def _message(placement: Placement, stored: StoredMessage, raw: bytes, rights: Rights) -> NewMessage:
    """RFC 4314 §4: with those flags that may be set in the target; RFC 9051 §6.4.7: and the date it had."""
    change = FlagChange(operation=FlagOperation.SET, keywords=placement.keywords, is_deleted=bool(placement.is_deleted))
    allowed = allowed_flags(change, rights)
    return NewMessage(
        raw=raw,
        received_at=stored.received_at,
        digest=stored.digest,
        keywords=allowed.keywords,
        is_deleted=allowed.is_deleted,
    )


async def _take_back_what_stayed(selected: SelectedMailbox, target: Place, copied: Copied) -> None:
    """RFC 9051 §6.4.8: a move that fails leaves each message in one place. What did go is kept in the target."""
    mail = selected.mail
    stayed = await mail.messages.placements(
        mail.account_id, selected.mailbox_id, numset_of(old for old, _ in copied.pairs)
    )
    there = {placement.uid for placement in stayed}
    await _expunge(target.mail, target.mailbox.mailbox_id, [new for old, new in copied.pairs if old in there])


async def _expunge(mail: AccountMail, mailbox_id: MailboxId, uids: Sequence[Uid]) -> None:
    """All or none: what cannot be expunged is not left marked, for the next CLOSE would take it away."""
    if not uids:
        return
    there = await mail.messages.placements(mail.account_id, mailbox_id, numset_of(uids))
    unmarked = numset_of(placement.uid for placement in there if not placement.is_deleted)
    if unmarked:
        await mail.messages.change_flags(mail.account_id, mailbox_id, unmarked, _MARK)
    try:
        await mail.messages.expunge(mail.account_id, mailbox_id, numset_of(uids))
    except DomainError:
        if unmarked:
            await mail.messages.change_flags(mail.account_id, mailbox_id, unmarked, _UNMARK)
        raise
