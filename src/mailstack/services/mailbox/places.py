"""From the path that a client names to a mailbox, whose it is, and what the client may do there. RFC 2342 §5.

One's own mailboxes have no prefix. Others' are `Other Users/<login>/<path there>`, and exist only for those with whom
something is shared.
"""

from dataclasses import dataclass

from mailstack.model.errors import Forbidden, Invalid, NotFound, TooLarge
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import DELIMITER, Mailbox
from mailstack.model.principal import Account
from mailstack.model.rights import Right, Rights
from mailstack.services.mailbox.access import check_rights, rights_on
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import join_path, split_path

OTHER_USERS = "Other Users"
NOWHERE = MailboxId(0)
"""No mailbox has this id."""
_SLASH_IN_LOGIN = "\u2215"
"""RFC 5321 §4.1.2 lets a local part hold the delimiter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """mail: the owner's, as the viewer reaches it. path: as the viewer names it."""

    mail: AccountMail
    mailbox: Mailbox
    path: str
    rights: Rights


async def find(mail: AccountMail, path: str, *needed: Right) -> Place:
    """Raises NotFound; Forbidden for one that may be known and lacks what is needed."""
    try:
        owner, names = await owner_of(mail, split_path(path))
    except (Invalid, TooLarge):
        raise NotFound("no such mailbox") from None
    mailbox = await owner.mailboxes.find(owner.account_id, names)
    # What is not there is looked for as long as what may not be known of: nor does the clock tell which it is.
    rights = await rights_on(owner, NOWHERE if mailbox is None else mailbox.mailbox_id)
    if mailbox is None:
        raise NotFound("no such mailbox")
    check_rights(rights, *needed)
    return Place(mail=owner, mailbox=mailbox, path=shown_path(owner, names), rights=rights)


async def find_target(mail: AccountMail, path: str) -> Place | None:
    """Where messages may be put; None: the client may try to create it. Raises Forbidden."""
    try:
        return await find(mail, path, Right.INSERT)
    except NotFound:
        return None


async def find_readable(mail: AccountMail, path: str) -> Place:
    """Raises NotFound, Forbidden."""
    return await find(mail, path, Right.READ)


async def owner_of(mail: AccountMail, names: tuple[str, ...]) -> tuple[AccountMail, tuple[str, ...]]:
    """Whose mailbox the names lead to, and what remains of them there.

    Raises NotFound: nobody's who shares anything with the viewer, whether or not there is such an account.
    """
    if names[0] != OTHER_USERS:
        return mail, names
    if len(names) < 3:
        raise NotFound("that is no mailbox")
    login = names[1].replace(_SLASH_IN_LOGIN, DELIMITER)
    account = await mail.accounts.find(login)
    owners = await mail.sharing.owners(mail.viewer.account_id)
    if not isinstance(account, Account) or account.login != login or account.account_id not in owners:
        raise NotFound("no such mailbox")
    return mail.of(account), split_path(join_path(names[2:]))


def shown_path(owner: AccountMail, names: tuple[str, ...]) -> str:
    return join_path(names) if owner.is_own else join_path((*root_of(owner.account), *names))


def root_of(owner: Account) -> tuple[str, str]:
    return OTHER_USERS, owner.login.replace(DELIMITER, _SLASH_IN_LOGIN)


async def find_parent(mail: AccountMail, path: str) -> tuple[AccountMail, tuple[str, ...], Mailbox | None]:
    """Where a new mailbox may be made: whose, under which names there, below which nearest mailbox that exists.

    RFC 4314 §4: CREATE needs `k` there; at the top only the owner has it. Whatever is the reason in another's account,
    the answer is the same. Raises Forbidden, Invalid.
    """
    names = split_path(path)
    try:
        owner, names = await owner_of(mail, names)
    except NotFound:
        raise Forbidden("not yours to create in") from None
    parent = None
    for depth in range(len(names) - 1, 0, -1):
        parent = parent or await owner.mailboxes.find(owner.account_id, names[:depth])
    if owner.is_own:
        return owner, names, parent
    if parent is None or Right.CREATE not in await rights_on(owner, parent.mailbox_id):
        raise Forbidden("not yours to create in")
    return owner, names, parent
