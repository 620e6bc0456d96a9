"""The tree of mailboxes and what can be done to it."""

import pytest

from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound, QuotaExceeded
from mailstack.model.ids import MailboxId, ModSeq, Uid
from mailstack.model.mailbox import Mailbox
from mailstack.services.mailbox import tree
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.listing import list_subscribed
from mailstack.services.mailbox.patterns import Pattern
from mailstack.services.mailbox.tree import MailboxTree, load_tree


def mailbox(mailbox_id: int, name: str, parent: int | None = None, *, is_subscribed: bool = True) -> Mailbox:
    return Mailbox(
        mailbox_id=MailboxId(mailbox_id),
        parent_id=None if parent is None else MailboxId(parent),
        name=name,
        role=None,
        is_subscribed=is_subscribed,
        uid_validity=1,
        uid_next=Uid(1),
        highest_mod_seq=ModSeq(1),
    )


async def paths(mail: AccountMail) -> set[str]:
    return {path for path, _ in await load_tree(mail)}


def test_inbox_comes_first_and_parents_before_children() -> None:
    found = MailboxTree([mailbox(3, "z", 1), mailbox(1, "a"), mailbox(2, "INBOX"), mailbox(4, "a b")])

    assert [path for path, _ in found] == ["INBOX", "a", "a/z", "a b"]
    assert found.has_children(MailboxId(1))
    assert found.get("inbox").mailbox_id == 2


def test_a_percent_above_something_subscribed_names_its_parent_once() -> None:
    boxes = [mailbox(1, "a", is_subscribed=False), mailbox(2, "b", 1), mailbox(3, "c", 1)]

    (listed,) = list_subscribed(MailboxTree(boxes), Pattern("", "%"))

    assert (listed.path, listed.is_selectable) == ("a", False)


async def test_parents_are_made(mail: AccountMail) -> None:
    await tree.create(mail, "a/b/c")

    assert {"a", "a/b", "a/b/c"} <= await paths(mail)


async def test_what_cannot_be_created(mail: AccountMail) -> None:
    for path, error in (("Sent", AlreadyExists), ("INBOX", AlreadyExists), ("a\x01", Invalid)):
        with pytest.raises(error):
            await tree.create(mail, path)


async def test_an_account_has_so_many_mailboxes(mail: AccountMail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_MAILBOXES", 7)
    await tree.create(mail, "seventh")

    with pytest.raises(QuotaExceeded):
        await tree.create(mail, "eighth")


async def test_what_cannot_be_deleted(mail: AccountMail) -> None:
    await tree.create(mail, "a/b")

    for path, error in (("a", Conflict), ("INBOX", Forbidden), ("nothing", NotFound)):
        with pytest.raises(error):
            await tree.delete(mail, path)


async def test_children_follow_a_renamed_parent(mail: AccountMail) -> None:
    await tree.create(mail, "a/b")

    await tree.rename(mail, "a", "x/y")

    assert {"x", "x/y", "x/y/b"} <= await paths(mail)
    assert "a" not in await paths(mail)


async def test_what_cannot_be_renamed(mail: AccountMail) -> None:
    await tree.create(mail, "a")

    for path, new_path, error in (("a", "a/b", Invalid), ("a", "Sent", AlreadyExists), ("no", "b", NotFound)):
        with pytest.raises(error):
            await tree.rename(mail, path, new_path)
