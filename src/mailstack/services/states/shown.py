"""Which types of whose accounts a viewer may be told of: all of their own, of others what is shared. RFC 4314."""

from collections.abc import Collection, Mapping, Sequence

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.rights import Grant, Right, effective_rights
from mailstack.model.states import ALL_TYPES, MAIL_TYPES, StateType
from mailstack.ports.sharing import Sharing

Shown = Mapping[AccountId, frozenset[StateType]]
NONE: frozenset[StateType] = frozenset()

log = structlog.get_logger()


async def shown_to(viewers: Collection[AccountId], sharing: Sharing) -> Mapping[AccountId, Shown]:
    """To each: by account, one's own first; no account of which nothing is shown."""
    owners = await sharing.owners_of_many(viewers)
    grants = {owner: await grants_of(owner, sharing) for owner in {each for some in owners.values() for each in some}}
    shown: dict[AccountId, Shown] = {}
    for viewer in viewers:
        types = {owner: types_shown(grants[owner], viewer) for owner in owners[viewer]}
        shown[viewer] = {viewer: ALL_TYPES, **{owner: some for owner, some in types.items() if some}}
    return shown


async def grants_of(owner: AccountId, sharing: Sharing) -> Mapping[MailboxId, Sequence[Grant]]:
    """None where they cannot be read: for now, that owner shares nothing."""
    try:
        return await sharing.all_grants(owner)
    except DomainError as fault:
        log.warning("shared states left out", owner=owner, error=type(fault).__name__, detail=fault.detail)
        return {}


def types_shown(grants: Mapping[MailboxId, Sequence[Grant]], viewer: AccountId) -> frozenset[StateType]:
    """Of another's account."""
    rights = frozenset[Right]().union(*(effective_rights(entries, viewer) for entries in grants.values()))
    if Right.LOOKUP not in rights:
        return NONE
    # As services.mailbox.quota has it: who may read nothing is not told how much there is.
    return MAIL_TYPES | {StateType.QUOTA} if Right.READ in rights else MAIL_TYPES
