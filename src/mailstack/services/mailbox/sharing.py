"""Who is given which rights on a mailbox, and what is shared with whom. RFC 4314 §3.

Says nothing of who exists: an identifier that is nobody's login is kept as it was written, and means nobody.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from mailstack.model.errors import DomainError, NotFound, Unsupported
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.principal import Account
from mailstack.model.rights import (
    ALL_RIGHTS,
    ANYONE,
    AUTHENTICATED,
    NEGATIVE,
    NO_RIGHTS,
    Grant,
    Right,
    Rights,
    RightsOperation,
    changed_rights,
    effective_rights,
    is_for_all,
)
from mailstack.services.mailbox.access import check_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.places import Place, find
from mailstack.services.mailbox.tree import MailboxTree, load_tree

log = structlog.get_logger()

_F = TypeVar("_F")

# RFC 4314 §4: any of these lets MYRIGHTS answer.
_RIGHTS_TO_ASK = (Right.LOOKUP, Right.READ, Right.INSERT, Right.CREATE, Right.DELETE_MAILBOX, Right.ADMINISTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTree:
    """Another's mailboxes, as far as one may know of any. rights: of those where one has some."""

    mail: AccountMail
    tree: MailboxTree
    rights: Mapping[MailboxId, Rights]


async def set_rights(
    mail: AccountMail, path: str, identifier: str, rights: Rights, *, operation: RightsOperation
) -> None:
    """Raises NotFound, Forbidden, TooLarge; Unsupported: the owner has all rights and keeps them."""
    place = await find(mail, path, Right.ADMINISTER)
    owner = place.mail.account
    whose = _canonical(identifier, owner)
    if whose.removeprefix(NEGATIVE) == owner.login:
        is_taken = whose.startswith(NEGATIVE) == (operation is not RightsOperation.REMOVE)
        if changed_rights(ALL_RIGHTS, operation, rights) != ALL_RIGHTS or (is_taken and rights):
            raise Unsupported("the owner keeps all rights")
        return
    account_id = None if is_for_all(whose) else await _account_id(mail, whose.removeprefix(NEGATIVE))
    grant = Grant(identifier=whose, account_id=account_id, rights=rights)
    await mail.sharing.change(place.mail.account_id, place.mailbox.mailbox_id, grant, operation)


async def remove_identifier(mail: AccountMail, path: str, identifier: str) -> None:
    await set_rights(mail, path, identifier, NO_RIGHTS, operation=RightsOperation.SET)


async def list_grants(mail: AccountMail, path: str) -> tuple[Place, Sequence[Grant]]:
    """The owner first. Raises NotFound, Forbidden."""
    place = await find(mail, path, Right.ADMINISTER)
    owner = place.mail.account
    first = Grant(identifier=owner.login, account_id=owner.account_id, rights=ALL_RIGHTS)
    return place, (first, *await mail.sharing.grants(owner.account_id, place.mailbox.mailbox_id))


async def grantable_rights(mail: AccountMail, path: str, identifier: str) -> tuple[Place, Rights]:
    """The rights that the identifier has whatever is set; all others can be given and taken one by one.

    The same for every identifier but the owner's, whether or not there is such an account (CVE-2026-47083: LISTRIGHTS
    as an oracle). Raises NotFound, Forbidden.
    """
    place = await find(mail, path, Right.ADMINISTER)
    is_owner = _canonical(identifier, place.mail.account) == place.mail.account.login
    return place, ALL_RIGHTS if is_owner else NO_RIGHTS


async def my_rights(mail: AccountMail, path: str) -> Place:
    """Raises NotFound."""
    place = await find(mail, path)
    if not place.rights.intersection(_RIGHTS_TO_ASK):
        check_rights(place.rights, Right.LOOKUP)
    return place


async def shared_trees(mail: AccountMail) -> list[SharedTree]:
    """What others let the viewer know of, by login. Owners who share nothing after all are forgotten."""
    return sorted(await _of_all_owners(mail, _shared_tree), key=lambda shared: shared.mail.account.login)


async def sharing_accounts(mail: AccountMail) -> list[Account]:
    """As shared_trees, of whom that is."""
    found = await _of_all_owners(mail, _shared)
    return sorted((owner.account for owner, _ in found), key=lambda account: account.login)


async def mail_shared_by(mail: AccountMail, owner_id: AccountId) -> AccountMail:
    """Another's, who lets the viewer know of a mailbox. Raises NotFound, whether or not there is such an account."""
    owners = await mail.sharing.owners(mail.viewer.account_id)
    shared = await _shared(mail, owner_id) if owner_id in owners else None
    if shared is None:
        raise NotFound("no such account")
    return shared[0]


async def _of_all_owners(mail: AccountMail, ask: Callable[[AccountMail, AccountId], Awaitable[_F | None]]) -> list[_F]:
    found: list[_F] = []
    for owner_id in await mail.sharing.owners(mail.viewer.account_id):
        try:
            shared = await ask(mail, owner_id)
        except DomainError as fault:
            # An owner whose file cannot be read shares nothing for now, and spoils nobody else's list.
            log.warning("shared mailboxes left out", owner=owner_id, error=type(fault).__name__, detail=fault.detail)
            continue
        if shared is not None:
            found.append(shared)
    return found


async def _shared_tree(mail: AccountMail, owner_id: AccountId) -> SharedTree | None:
    shared = await _shared(mail, owner_id)
    if shared is None:
        return None
    owner, rights = shared
    return SharedTree(mail=owner, tree=await load_tree(owner), rights=rights)


async def _shared(mail: AccountMail, owner_id: AccountId) -> tuple[AccountMail, Mapping[MailboxId, Rights]] | None:
    account = await mail.accounts.account(owner_id)
    grants = await mail.sharing.all_grants(owner_id) if account is not None else {}
    await _forget_needless(mail, owner_id, [grant for entries in grants.values() for grant in entries])
    viewer = mail.viewer.account_id
    rights = {mailbox_id: effective_rights(entries, viewer) for mailbox_id, entries in grants.items()}
    if account is None or not any(Right.LOOKUP in some for some in rights.values()):
        return None
    return mail.of(account), rights


async def _forget_needless(mail: AccountMail, owner: AccountId, grants: Sequence[Grant]) -> None:
    viewer = mail.viewer.account_id
    if not any(grant.account_id == viewer for grant in grants):
        await mail.sharing.forget(viewer, owner)
    if not any(is_for_all(grant.identifier) for grant in grants):
        await mail.sharing.forget(None, owner)


def _canonical(identifier: str, owner: Account) -> str:
    """RFC 4314 §3.3: logins in lower case, and whole: a bare name is one of the owner's domain, existing or not."""
    sign = NEGATIVE if identifier.startswith(NEGATIVE) else ""
    name = identifier.removeprefix(NEGATIVE).casefold()
    if name not in (ANYONE, AUTHENTICATED) and "@" not in name:
        name = f"{name}@{owner.login.rpartition('@')[2]}"
    return sign + name


async def _account_id(mail: AccountMail, login: str) -> AccountId | None:
    found = await mail.accounts.find(login)
    return found.account_id if isinstance(found, Account) and found.login == login else None
