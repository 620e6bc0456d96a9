"""The tree of mailboxes."""

from mailstack.model.ids import MailboxId, ModSeq, Uid
from mailstack.model.mailbox import Mailbox, MailboxStatus
from mailstack.services.mailbox.tree import MailboxTree


def mailbox(mailbox_id: int, name: str, parent: int | None = None, *, is_subscribed: bool = True) -> Mailbox:
    return Mailbox(
        mailbox_id=MailboxId(mailbox_id),
        parent_id=None if parent is None else MailboxId(parent),
        name=name,
        role=None,
        is_subscribed=is_subscribed,
        status=MailboxStatus(
            messages=0, unseen=0, deleted=0, size_bytes=0, uid_next=Uid(1), uid_validity=1, highest_mod_seq=ModSeq(1)
        ),
    )


def test_inbox_comes_first_and_parents_before_children() -> None:
    found = MailboxTree([mailbox(3, "z", 1), mailbox(1, "a"), mailbox(2, "INBOX"), mailbox(4, "a b")])

    assert [path for path, _ in found] == ["INBOX", "a", "a/z", "a b"]
    assert found.has_children(MailboxId(1))
    assert found.get("inbox").mailbox_id == 2
