"""What an account may hold and holds. RFC 9208: one quota root for each account, its one resource is STORAGE.

The limit is the spec's, for nobody to change from here; it is enforced where messages are stored.
"""

from dataclasses import dataclass

from mailstack.model.errors import Invalid, NotFound, TooLarge
from mailstack.model.ids import Uid
from mailstack.model.mailbox import DELIMITER, INBOX, MailboxStatus
from mailstack.model.message import Column
from mailstack.model.numset import numset_of
from mailstack.model.rights import Right, effective_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import split_path
from mailstack.services.mailbox.places import Place, find_readable, owner_of, root_of

OWN_ROOT = ""
NO_QUOTA = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """limit_bytes: None where there is none."""

    root: str
    used_bytes: int
    limit_bytes: int | None


async def quota_of_root(mail: AccountMail, root: str) -> Quota:
    """root: as quota_of_mailbox names it. Raises NotFound, also where none of the owner's mailboxes may be read."""
    if root == OWN_ROOT:
        return await _quota(mail)
    try:
        owner, _ = await owner_of(mail, (*split_path(root), INBOX))
    except (Invalid, TooLarge):
        raise NotFound("no such quota root") from None
    lists = (await mail.sharing.all_grants(owner.account_id)).values()
    may_read = any(Right.READ in effective_rights(grants, mail.viewer.account_id) for grants in lists)
    if root != _root(owner) or not may_read:
        raise NotFound("no such quota root")
    return await _quota(owner)


def state_of_quota(used_bytes: int, limit_bytes: int | None) -> str:
    """Another one whenever anything of a quota is another."""
    return NO_QUOTA if limit_bytes is None else f"{used_bytes}-{limit_bytes}"


async def quota_of_mailbox(mail: AccountMail, path: str) -> tuple[Place, Quota]:
    """Raises NotFound, Forbidden: RFC 9208 §4.1.2 wants to know what may be read at all."""
    place = await find_readable(mail, path)
    return place, await _quota(place.mail)


async def deleted_bytes(place: Place, status: MailboxStatus) -> int:
    """RFC 9208 §4.1.4: the sum of the sizes of messages marked \\Deleted."""
    if not status.deleted:
        return 0
    mail, mailbox_id = place.mail, place.mailbox.mailbox_id
    placements = await mail.messages.placements(mail.account_id, mailbox_id)
    deleted: list[Uid] = [placement.uid for placement in placements if placement.is_deleted]
    if not deleted:
        return 0
    rows = await mail.messages.columns(mail.account_id, mailbox_id, (Column.SIZE_BYTES,), numset_of(deleted))
    return sum(size for _, size in rows)


async def _quota(mail: AccountMail) -> Quota:
    return Quota(
        root=_root(mail),
        used_bytes=await mail.messages.used_bytes(mail.account_id),
        limit_bytes=mail.account.quota_bytes,
    )


def _root(mail: AccountMail) -> str:
    return OWN_ROOT if mail.is_own else DELIMITER.join(root_of(mail.account))
