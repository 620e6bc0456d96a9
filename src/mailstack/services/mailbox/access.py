"""What the one who is logged in may do with a mailbox; asked at every use, for a list may change while it is selected.

The owner may do everything, always (RFC 4314 §2 leaves that to the server), and costs no look at the store.
"""

from collections.abc import Callable, Sequence

from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.ids import MailboxId
from mailstack.model.rights import ALL_RIGHTS, NO_RIGHTS, Right, Rights, effective_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.selected import SelectedMailbox


async def rights_on(mail: AccountMail, mailbox_id: MailboxId) -> Rights:
    """Raises NotFound."""
    if mail.is_own:
        return ALL_RIGHTS
    return effective_rights(await mail.sharing.grants(mail.account_id, mailbox_id), mail.viewer.account_id)


async def all_rights_on(mail: AccountMail) -> Callable[[MailboxId], Rights]:
    """As rights_on, for all mailboxes of an account with one look at the store; none on what is not there."""
    if mail.is_own:
        return lambda _: ALL_RIGHTS
    lists = await mail.sharing.all_grants(mail.account_id)
    rights = {mailbox_id: effective_rights(grants, mail.viewer.account_id) for mailbox_id, grants in lists.items()}
    return lambda mailbox_id: rights.get(mailbox_id, NO_RIGHTS)


async def require(mail: AccountMail, mailbox_id: MailboxId, *needed: Right) -> Rights:
    """All the rights there are. Raises as check_rights."""
    rights = await rights_on(mail, mailbox_id)
    check_rights(rights, *needed)
    return rights


async def require_selected(selected: SelectedMailbox, *needed: Right) -> Rights:
    """As require; who has selected a mailbox knows of it. Raises Forbidden."""
    rights = await rights_on(selected.mail, selected.mailbox_id)
    _check(rights, needed)
    return rights


def check_rights(rights: Rights, *needed: Right) -> None:
    """Raises Forbidden; NotFound where not even the name may be known.

    RFC 4314 §6: who may not list a mailbox hears what is said of a missing one (CVE-2026-47081 and following).
    """
    if Right.LOOKUP not in rights and not rights.issuperset(needed):
        raise NotFound("no such mailbox")
    _check(rights, needed)


async def check_readable(selected: SelectedMailbox) -> None:
    """RFC 4314 §5.1.1: who lost the right to read a selected mailbox has lost the mailbox. Raises NotFound."""
    if Right.READ not in await rights_on(selected.mail, selected.mailbox_id):
        raise NotFound("no such mailbox")


async def may_keep_seen(selected: SelectedMailbox) -> bool:
    """RFC 4314 §4: without the right, FETCH BODY[…] answers all the same and marks nothing."""
    return not selected.is_read_only and Right.SEEN in await rights_on(selected.mail, selected.mailbox_id)


def _check(rights: Rights, needed: Sequence[Right]) -> None:
    missing = [right.name for right in needed if right not in rights]
    if missing:
        raise Forbidden(f"needs {', '.join(missing)}")
