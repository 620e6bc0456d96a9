"""The mailboxes of one account as its viewer knows of them: with rights, subscriptions, and what lies in them.

RFC 8621 §2. Of another's account those that may be looked up, and what stands above them, as LIST has it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.annotation import SORT_ORDER
from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.errors import NotFound
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import Mailbox
from mailstack.model.rights import NO_RIGHTS, Right, Rights
from mailstack.services.mailbox.access import all_rights_on
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.counts import MailboxCounts

MAX_SORT_ORDER = 2**31 - 1
"""RFC 8621 §2."""
_SORT_ORDER = re.compile(rb"[0-9]{1,10}")
NOTHING_KNOWN = MailboxCounts(0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMailbox:
    """rights: none where it only stands above what may be known of. sort_order: None where the viewer gave none."""

    mailbox: Mailbox
    rights: Rights
    is_subscribed: bool
    sort_order: int | None = None


async def seen_mailboxes(mail: AccountMail) -> Mapping[MailboxId, SeenMailbox]:
    return await seen_of(mail, await mail.mailboxes.list(mail.account_id))


async def seen_of(mail: AccountMail, mailboxes: Sequence[Mailbox]) -> Mapping[MailboxId, SeenMailbox]:
    """mailboxes: all of the account."""
    rights_on = await all_rights_on(mail)
    values = await mail.annotations.values(mail.account_id, SORT_ORDER, viewer=mail.viewer.account_id)
    if mail.is_own:
        return {
            each.mailbox_id: SeenMailbox(
                mailbox=each,
                rights=rights_on(each.mailbox_id),
                is_subscribed=each.is_subscribed,
                sort_order=_sort_order(values.get(each.mailbox_id)),
            )
            for each in mailboxes
        }
    subscribed = await mail.sharing.subscriptions(mail.viewer.account_id)
    known = [each for each in mailboxes if Right.LOOKUP in rights_on(each.mailbox_id)]
    needed = {each.mailbox_id for each in _with_all_above(known, mailboxes)}
    looked_up = {each.mailbox_id for each in known}
    return {
        each.mailbox_id: SeenMailbox(
            mailbox=each,
            rights=rights_on(each.mailbox_id) if each.mailbox_id in looked_up else NO_RIGHTS,
            is_subscribed=(mail.account_id, each.mailbox_id) in subscribed,
            sort_order=_sort_order(values.get(each.mailbox_id)),
        )
        for each in mailboxes
        if each.mailbox_id in needed
    }


async def changed_mailboxes(mail: AccountMail, since: LogPoint, *, limit: int) -> ChangedIds[MailboxId]:
    """As the viewer knows of them. Raises Conflict where that cannot be told (any more)."""
    if mail.is_own:
        return await mail.emails.changed_mailboxes(mail.account_id, since, limit=limit)
    # In this order: where it is known before the log is looked at, the log tells what it has become meanwhile.
    seen = await seen_mailboxes(mail)
    read = [mailbox_id for mailbox_id, each in seen.items() if Right.READ in each.rights]
    return await mail.emails.changed_mailboxes(mail.account_id, since, within=read, known=seen.keys(), limit=limit)


async def mailbox_counts(mail: AccountMail, seen: SeenMailbox) -> MailboxCounts:
    """Nothing where the viewer may not read, or the mailbox was just deleted."""
    if Right.READ not in seen.rights:
        return NOTHING_KNOWN
    try:
        view = await mail.views.current(mail.account_id, seen.mailbox.mailbox_id)
        return await view.counts()
    except NotFound:
        return NOTHING_KNOWN


def _sort_order(value: bytes | None) -> int | None:
    """Whatever IMAP's SETMETADATA may have written there."""
    return int(value) if value is not None and _SORT_ORDER.fullmatch(value) and int(value) <= MAX_SORT_ORDER else None


def _with_all_above(known: Sequence[Mailbox], mailboxes: Sequence[Mailbox]) -> Iterator[Mailbox]:
    by_id = {each.mailbox_id: each for each in mailboxes}
    for mailbox in known:
        above: Mailbox | None = mailbox
        while above is not None:
            yield above
            above = None if above.parent_id is None else by_id.get(above.parent_id)
