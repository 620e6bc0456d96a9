"""What can be done to the tree of mailboxes. RFC 9051 §6.3.4-§6.3.6, RFC 6154 §3; rights: RFC 4314 §4."""

from mailstack.model.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unsupported,
    UseRefused,
)
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import INBOX, Mailbox, MailboxRole
from mailstack.model.numset import numset_of
from mailstack.model.rights import Right
from mailstack.services.mailbox.access import rights_on
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import join_path, split_path
from mailstack.services.mailbox.places import Place, find, find_parent, shown_path
from mailstack.services.mailbox.special_use import assign
from mailstack.services.mailbox.tree import MailboxTree, load_tree

MAX_MAILBOXES = 10_000
"""For each account: LIST answers them all, and clients poll them all."""


async def create(mail: AccountMail, path: str, *, role: MailboxRole | None = None) -> Place:
    """With all parents that are missing. Raises AlreadyExists, Invalid, Forbidden, TooLarge."""
    owner, names, parent = await find_parent(mail, path)
    if role is not None and not owner.is_own:
        raise UseRefused("another's mailbox keeps its use")
    tree = await load_tree(owner)
    await _check_free(owner, tree, names)
    if len(tree) + len(names) > MAX_MAILBOXES:
        raise TooMany(f"an account has at most {MAX_MAILBOXES} mailboxes")
    above = await _parents(owner, tree, names, inherit_from=parent)
    made = await owner.mailboxes.create(owner.account_id, parent_id=above, name=names[-1])
    await _inherit(owner, parent, made.mailbox_id)
    rights = await rights_on(owner, made.mailbox_id)
    place = Place(mail=owner, mailbox=made, path=shown_path(owner, names), rights=rights)
    if role is not None:
        await assign(place, role)
    if owner.is_own and place.path in await owner.mailboxes.absent_subscriptions(owner.account_id):
        await owner.mailboxes.subscribe(owner.account_id, made.mailbox_id, is_subscribed=True)
        await owner.mailboxes.subscribe_absent(owner.account_id, place.path, is_subscribed=False)
    return place


async def delete(mail: AccountMail, path: str) -> Place:
    """What was deleted, with its messages. Raises NotFound, Forbidden for INBOX, Conflict while it has children."""
    place = await find(mail, path, Right.DELETE_MAILBOX)
    if _is_inbox(place.mailbox):
        raise Forbidden("INBOX stays")  # RFC 9051 §6.3.5
    if (await load_tree(place.mail)).has_children(place.mailbox.mailbox_id):
        raise Conflict("the mailbox has children")
    if place.mail.is_own and place.mailbox.is_subscribed:
        # RFC 3501 §6.3.9: a name stays subscribed to, whether or not there is a mailbox of that name.
        await mail.mailboxes.subscribe_absent(mail.account_id, place.path, is_subscribed=True)
    await place.mail.mailboxes.destroy(place.mail.account_id, place.mailbox.mailbox_id)
    return place


async def rename(mail: AccountMail, path: str, new_path: str) -> tuple[Place, str]:
    """With all that is below it; INBOX gives its messages away and stays. RFC 9051 §6.3.6.

    What it was, and its new path. Raises as create and delete do.
    """
    place = await find(mail, path, Right.DELETE_MAILBOX)
    owner, names, parent = await find_parent(mail, new_path)
    if owner.account_id != place.mail.account_id:
        raise Unsupported("a mailbox stays in its account")
    tree = await load_tree(owner)
    await _check_free(owner, tree, names)
    if _is_inbox(place.mailbox):
        await _empty_inbox(place, new_path)
        return place, shown_path(owner, names)
    old_names = tree.names_of(place.mailbox.mailbox_id)
    if names[: len(old_names)] == old_names:
        raise Invalid("a mailbox cannot move into itself")
    for below in tree.below(place.mailbox.mailbox_id):
        split_path(join_path(names) + below)  # what follows must stay within reach
    above = await _parents(owner, tree, names, inherit_from=parent)
    await owner.mailboxes.rename(owner.account_id, place.mailbox.mailbox_id, parent_id=above, name=names[-1])
    return place, shown_path(owner, names)


async def subscribe(mail: AccountMail, path: str, *, is_subscribed: bool) -> None:
    """Whose subscription to others' mailboxes: the viewer's. Raises NotFound: RFC 9051 §6.3.7 lets a server check."""
    if not is_subscribed and await _forget_absent(mail, path):
        return
    # RFC 4314 §4: SUBSCRIBE needs `l`, UNSUBSCRIBE nothing.
    place = await find(mail, path, *((Right.LOOKUP,) if is_subscribed else ()))
    owner, mailbox_id = place.mail, place.mailbox.mailbox_id
    if owner.is_own:
        await owner.mailboxes.subscribe(owner.account_id, mailbox_id, is_subscribed=is_subscribed)
        return
    viewer = mail.viewer.account_id
    subscribed = await mail.sharing.subscriptions(viewer)
    if Right.LOOKUP not in place.rights and (owner.account_id, mailbox_id) not in subscribed:
        raise NotFound("no such mailbox")
    await mail.sharing.subscribe(viewer, owner.account_id, mailbox_id, is_subscribed=is_subscribed)


async def _forget_absent(mail: AccountMail, path: str) -> bool:
    """False: it was no such name, or there is a mailbox of this name by now, which may be subscribed to as well."""
    try:
        path = join_path(split_path(path))
    except (Invalid, TooLarge):
        return False
    if path not in await mail.mailboxes.absent_subscriptions(mail.account_id):
        return False
    await mail.mailboxes.subscribe_absent(mail.account_id, path, is_subscribed=False)
    return await mail.mailboxes.find(mail.account_id, split_path(path)) is None


async def _check_free(owner: AccountMail, tree: MailboxTree, names: tuple[str, ...]) -> None:
    taken = tree.find(join_path(names))
    if taken is None:
        return
    if Right.LOOKUP not in await rights_on(owner, taken.mailbox_id):
        raise Forbidden("not yours to create in")
    raise AlreadyExists("the name is taken")


async def _empty_inbox(place: Place, new_path: str) -> None:
    mail = place.mail
    if not mail.is_own:
        raise Forbidden("another's INBOX stays as it is")
    target = await create(mail, new_path)
    placements = await mail.messages.placements(mail.account_id, place.mailbox.mailbox_id)
    everything = numset_of(placement.uid for placement in placements)
    await mail.messages.move(mail.account_id, place.mailbox.mailbox_id, everything, target.mailbox.mailbox_id)


async def _parents(
    owner: AccountMail, tree: MailboxTree, names: tuple[str, ...], *, inherit_from: Mailbox | None
) -> MailboxId | None:
    """The last but one of names, made where it is missing. RFC 9051 §6.3.4: a server should create parents."""
    parent: MailboxId | None = None
    for depth in range(1, len(names)):
        existing = tree.find(join_path(names[:depth]))
        if existing is None:
            existing = await owner.mailboxes.create(owner.account_id, parent_id=parent, name=names[depth - 1])
            await _inherit(owner, inherit_from, existing.mailbox_id)
        parent = existing.mailbox_id
    return parent


async def _inherit(owner: AccountMail, parent: Mailbox | None, made: MailboxId) -> None:
    """RFC 4314 §4: a new mailbox should have its parent's list."""
    if parent is not None and await owner.sharing.grants(owner.account_id, parent.mailbox_id):
        await owner.sharing.inherit(owner.account_id, parent=parent.mailbox_id, child=made)


def _is_inbox(mailbox: Mailbox) -> bool:
    return mailbox.parent_id is None and mailbox.name == INBOX
