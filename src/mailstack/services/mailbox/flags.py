"""Flags of messages, changed by set, add or remove. RFC 9051 §6.4.6; rights: RFC 4314 §4."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.errors import Forbidden, Invalid
from mailstack.model.flags import DELETED, MAX_KEYWORDS_PER_MESSAGE
from mailstack.model.ids import ModSeq
from mailstack.model.message import FlagChange, FlagOperation, FlagsChanged
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.rights import FLAG_RIGHTS, Rights, right_for_flag
from mailstack.services.mailbox.access import require_selected
from mailstack.services.mailbox.lessons import note_flags
from mailstack.services.mailbox.selected import SelectedMailbox


def flag_change(operation: FlagOperation, flags: Sequence[str], *, unchanged_since: ModSeq | None = None) -> FlagChange:
    """flags: in canonical spelling. Raises Invalid for more than a message may have."""
    keywords = frozenset(flags) - {DELETED}
    if len(keywords) > MAX_KEYWORDS_PER_MESSAGE:
        raise Invalid(f"a message has at most {MAX_KEYWORDS_PER_MESSAGE} keywords")
    return FlagChange(
        operation=operation, keywords=keywords, is_deleted=DELETED in flags, unchanged_since=unchanged_since
    )


async def change_flags(
    selected: SelectedMailbox, uids: NumSet, change: FlagChange, *, is_silent: bool = False
) -> FlagsChanged:
    """uids: resolved. What they have now, whether or not it is new; the session is about to tell its client, unless
    that wants silence.

    Raises Forbidden in a mailbox opened for reading, or when not one of the flags may be changed.
    """
    selected.check_writable()
    rights = await require_selected(selected)
    if rights >= FLAG_RIGHTS:
        result = await _change(selected, uids, change)
    elif change.operation is FlagOperation.SET:
        result = await _set_allowed(selected, uids, change, rights)
    else:
        result = await _change(selected, uids, _checked(change, allowed_flags(change, rights)))
    selected.note_told(result, is_silent=is_silent)
    await note_flags(selected, change, result)
    return result


def allowed_flags(change: FlagChange, rights: Rights) -> FlagChange:
    """RFC 4314 §4: `s` for \\Seen, `t` for \\Deleted, `w` for all else; what may not be changed is passed over."""
    return replace(
        change,
        keywords=frozenset(keyword for keyword in change.keywords if may_change(keyword, rights)),
        is_deleted=change.is_deleted and may_change(DELETED, rights),
    )


def may_change(flag: str, rights: Rights) -> bool:
    return right_for_flag(flag) in rights


def _checked(asked: FlagChange, allowed: FlagChange) -> FlagChange:
    # RFC 4314 §4: STORE should not fail where at least one flag may be changed.
    if (asked.keywords or asked.is_deleted) and not (allowed.keywords or allowed.is_deleted):
        raise Forbidden("none of these flags")
    return allowed


async def _change(selected: SelectedMailbox, uids: NumSet, change: FlagChange) -> FlagsChanged:
    return await selected.mail.messages.change_flags(selected.mail.account_id, selected.mailbox_id, uids, change)


async def _set_allowed(selected: SelectedMailbox, uids: NumSet, change: FlagChange, rights: Rights) -> FlagsChanged:
    """In two steps, for flags that may not be changed stay as they are on each message."""
    if not rights & FLAG_RIGHTS:
        raise Forbidden("no flags at all")
    allowed = allowed_flags(change, rights)
    added = await _change(selected, uids, replace(allowed, operation=FlagOperation.ADD))
    there = frozenset(keyword for placement in added.changed for keyword in placement.keywords)
    left_over = FlagChange(operation=FlagOperation.REMOVE, keywords=there - change.keywords, is_deleted=True)
    removal = replace(allowed_flags(left_over, rights), unchanged_since=None)
    if change.is_deleted:
        removal = replace(removal, is_deleted=False)
    changed = numset_of(placement.uid for placement in added.changed)
    removed = await _change(selected, changed, removal)
    mod_seq = added.mod_seq if removed.mod_seq is None else removed.mod_seq
    return FlagsChanged(changed=removed.changed, refused=added.refused, mod_seq=mod_seq)
