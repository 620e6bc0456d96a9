"""Mailbox/queryChanges. RFC 8621 §2.4, RFC 8620 §5.6.

Every mailbox that anything but its mail has changed in leaves the old list and enters the new one where it is now.
"""

from collections.abc import Sequence, Set
from typing import Any

from mailstack.model.changes import LogPoint
from mailstack.model.errors import Conflict
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.mailbox_query import known_facts, read_query
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.mailboxes_seen import changed_mailboxes
from mailstack.services.mailbox.settled import settled
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.mail.mailbox_query import MailboxFacts
from mailstack.wire.jmap.session import MAIL
from mailstack.wire.jmap.states import read_state

MAX_CHANGED = 10_000
"""Mailboxes. Past that a client does better to ask anew."""


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    asked = read_query(call, arguments)
    since = arguments.text("sinceQueryState")
    most = arguments.optional_unsigned("maxChanges")
    # RFC 8620 §5.6: of use only where nothing that is looked at ever changes.
    arguments.optional_id("upToId")
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    ((before, came), facts), state = await settled(mail, lambda _: _looked_at(mail, since))
    if state is None:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    touched = before | came
    if asked.is_sorted_as_tree or asked.is_filtered_as_tree:
        below = _below(touched, facts)
        before, touched = before | below, touched | below
    found = asked.find(facts)
    added = [{"id": one, "index": at} for at, one in enumerate(found) if one in touched]
    if most is not None and len(before) + len(added) > most:
        raise MethodFault(MethodFaultType.TOO_MANY_CHANGES)
    return {
        "accountId": mail.account_id,
        "oldQueryState": since,
        "newQueryState": str(state),
        **({"total": len(found)} if is_counted else {}),
        "removed": sorted(before),
        "added": added,
    }


async def _looked_at(mail: AccountMail, since: str) -> tuple[tuple[Set[str], Set[str]], Sequence[MailboxFacts]]:
    """What has changed, and what there is. Raises MethodFault."""
    return await _changed(mail, since), await known_facts(mail)


async def _changed(mail: AccountMail, since: str) -> tuple[Set[str], Set[str]]:
    """Which of those that there were, and which are new. Raises MethodFault."""
    point = read_state(since)
    if point is None or point.up_to is not None:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    try:
        changed = await changed_mailboxes(mail, LogPoint(point.mod_seq), limit=MAX_CHANGED)
    except Conflict:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES) from None
    if changed.has_more:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    # No filter and no order looks at the mail in a mailbox.
    before = (*changed.destroyed, *(one for one in changed.updated if one not in changed.counted_only))
    account_id = mail.account_id
    return (
        {mailbox_object_id(account_id, one) for one in before},
        {mailbox_object_id(account_id, one) for one in changed.created},
    )


def _below(touched: Set[str], facts: Sequence[MailboxFacts]) -> Set[str]:
    """As a tree they stand, or are left out, with what is above them."""
    parents = {one.id: one.parent_id for one in facts}
    found: set[str] = set()
    for one in parents:
        above = parents[one]
        while above is not None:
            if above in touched:
                found.add(one)
                break
            above = parents.get(above)
    return found


METHOD = Method(name="Mailbox/queryChanges", capability=MAIL, run=run)
