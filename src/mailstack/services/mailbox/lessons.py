"""What the owner of a mailbox says of spam by moving mail to Junk or out of it, and by keywords. It is noted, and
taught to the models later: a lesson that cannot be noted stops no command.

To the trash nothing is moved for what it is, and what others do in a shared mailbox is not the owner's word.
"""

from collections.abc import Iterable, Sequence

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.flags import Keywords
from mailstack.model.ids import MessageId
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
    if not _WORDS.intersection(map(str.casefold, change.keywords)) or not mail.is_own:
        return
    said: dict[Said, list[Placement]] = {Said.HAM: [], Said.SPAM: []}
    for placement in result.changed[-MOST_NOTED:]:
        said.get(_said_by(placement.keywords), []).append(placement)
    try:
        if said[Said.SPAM]:
            await mail.lessons.note(mail.account_id, _ids(said[Said.SPAM]), Said.SPAM)
        if said[Said.HAM] and selected.role is MailboxRole.JUNK:
            await mail.lessons.note(mail.account_id, _ids(said[Said.HAM]), Said.HAM)
        elif said[Said.HAM]:
            # Thunderbird sets NonJunk by itself on all that it does not take for junk: nobody has looked at that.
            await mail.lessons.contradict(mail.account_id, _ids(said[Said.HAM]), Said.HAM)
    except DomainError as fault:
        log.warning("not noted for the spam filter", account=mail.account_id, fault=repr(fault))


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
