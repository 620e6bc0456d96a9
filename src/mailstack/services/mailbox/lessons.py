"""What the owner of a mailbox says of spam by moving mail to Junk or out of it, and by keywords. It is noted, and
taught to the models later: a lesson that cannot be noted stops no command.

To the trash nothing is moved for what it is, and what others do in a shared mailbox is not the owner's word.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from mailstack.model.email import EmailUpdated
from mailstack.model.errors import DomainError
from mailstack.model.flags import Keywords
from mailstack.model.ids import MailboxId, MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Copied, FlagChange, FlagsChanged, Placement
from mailstack.model.numset import numset_of
from mailstack.model.spam_lesson import MOST_NOTED, Said
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.places import Place
from mailstack.services.mailbox.selected import SelectedMailbox

# RFC 9051 §2.3.2: $Junk and $NotJunk; the others are what Thunderbird and older clients set.
_SPAM_WORDS = frozenset({"$junk", "junk"})
_HAM_WORDS = frozenset({"$notjunk", "notjunk", "nonjunk"})
_WORDS = _SPAM_WORDS | _HAM_WORDS

log = structlog.get_logger()


async def note_moved(selected: SelectedMailbox, target: Place, copied: Copied) -> None:
    """Also for a copy: clients without MOVE copy, and expunge afterwards."""
    said = _said_by_move(selected.role, target.mailbox.role)
    if not said or not copied.pairs or not _is_owners(selected.mail, target.mail):
        return
    mail, uids = target.mail, numset_of(new for _, new in copied.pairs[-MOST_NOTED:])
    try:
        there = await mail.messages.placements(mail.account_id, target.mailbox.mailbox_id, uids)
        await mail.lessons.note(mail.account_id, _ids(there), said, is_move=True)
    except DomainError as fault:
        log.warning("not noted for the spam filter", account=mail.account_id, fault=repr(fault))


async def note_flags(selected: SelectedMailbox, change: FlagChange, result: FlagsChanged) -> None:
    mail = selected.mail
    if not _names_words(change.keywords) or not mail.is_own:
        return
    said: dict[Said, list[MessageId]] = {Said.HAM: [], Said.SPAM: []}
    for placement in result.changed[-MOST_NOTED:]:
        said.get(_said_by(placement.keywords), []).append(placement.message_id)
    try:
        await _note_words(mail, said, frozenset(said[Said.HAM] if selected.role is MailboxRole.JUNK else ()))
    except DomainError as fault:
        log.warning("not noted for the spam filter", account=mail.account_id, fault=repr(fault))


async def note_updated(mail: AccountMail, updated: Sequence[EmailUpdated]) -> None:
    """As a move, a copy and a change of flags in IMAP, whichever they were."""
    telling = [one for one in updated if _may_tell(one)][-MOST_NOTED:]
    if not telling or not mail.is_own:
        return
    try:
        roles = {mailbox.mailbox_id: mailbox.role for mailbox in await mail.mailboxes.list(mail.account_id)}
        moves: dict[Said, list[MessageId]] = {Said.HAM: [], Said.SPAM: []}
        words: dict[Said, list[MessageId]] = {Said.HAM: [], Said.SPAM: []}
        for one in telling:
            before, after = _roles(roles, one.mailboxes_before), _roles(roles, one.mailboxes)
            moves.get(_said_by_places(before, after), []).append(one.message_id)
            if _names_words(one.keywords ^ one.keywords_before):
                words.get(_said_by(one.keywords), []).append(one.message_id)
        in_junk = frozenset(one.message_id for one in telling if MailboxRole.JUNK in _roles(roles, one.mailboxes))
        for said, message_ids in moves.items():
            if message_ids:
                await mail.lessons.note(mail.account_id, message_ids, said, is_move=True)
        await _note_words(mail, words, in_junk)
    except DomainError as fault:
        log.warning("not noted for the spam filter", account=mail.account_id, fault=repr(fault))


async def _note_words(
    mail: AccountMail, said: Mapping[Said, Sequence[MessageId]], in_junk: frozenset[MessageId]
) -> None:
    if said[Said.SPAM]:
        await mail.lessons.note(mail.account_id, said[Said.SPAM], Said.SPAM)
    looked_at = [message_id for message_id in said[Said.HAM] if message_id in in_junk]
    if looked_at:
        await mail.lessons.note(mail.account_id, looked_at, Said.HAM)
    # Thunderbird sets NonJunk by itself on all that it does not take for junk: nobody has looked at that.
    others = [message_id for message_id in said[Said.HAM] if message_id not in in_junk]
    if others:
        await mail.lessons.contradict(mail.account_id, others, Said.HAM)


def _may_tell(updated: EmailUpdated) -> bool:
    return updated.mailboxes != updated.mailboxes_before or _names_words(updated.keywords ^ updated.keywords_before)


def _names_words(keywords: Keywords) -> bool:
    return not _WORDS.isdisjoint(map(str.casefold, keywords))


def _roles(
    roles: Mapping[MailboxId, MailboxRole | None], mailbox_ids: Iterable[MailboxId]
) -> frozenset[MailboxRole | None]:
    return frozenset(roles.get(mailbox_id) for mailbox_id in mailbox_ids)


def _said_by_places(before: frozenset[MailboxRole | None], after: frozenset[MailboxRole | None]) -> Said:
    """Into Junk, or out of it to anywhere but the trash; beside Junk counts as out of it, as a copy in IMAP does."""
    if MailboxRole.JUNK not in before:
        return Said.SPAM if MailboxRole.JUNK in after else Said.NOTHING
    kept = after - before if MailboxRole.JUNK in after else after
    return Said.HAM if kept - {MailboxRole.TRASH} else Said.NOTHING


def _said_by_move(source: MailboxRole | None, target: MailboxRole | None) -> Said:
    if (source is MailboxRole.JUNK) == (target is MailboxRole.JUNK) or target is MailboxRole.TRASH:
        return Said.NOTHING
    return Said.SPAM if target is MailboxRole.JUNK else Said.HAM


def _said_by(keywords: Keywords) -> Said:
    folded = {keyword.casefold() for keyword in keywords}
    is_spam, is_ham = bool(folded & _SPAM_WORDS), bool(folded & _HAM_WORDS)
    if is_spam == is_ham:
        return Said.NOTHING  # RFC 9051 §2.3.2: with both it is as if there were none
    return Said.SPAM if is_spam else Said.HAM


def _is_owners(source: AccountMail, target: AccountMail) -> bool:
    return target.is_own and source.account_id == target.account_id


def _ids(placements: Iterable[Placement]) -> Sequence[MessageId]:
    return [placement.message_id for placement in placements]
