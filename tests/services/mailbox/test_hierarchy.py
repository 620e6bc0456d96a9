"""What can be done to the tree of mailboxes."""

import pytest

from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound, TooLarge
from mailstack.services.mailbox import hierarchy
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.tree import load_tree


async def paths(mail: AccountMail) -> set[str]:
    return {path for path, _ in await load_tree(mail)}


async def test_parents_are_made(mail: AccountMail) -> None:
    await hierarchy.create(mail, "a/b/c")

    assert {"a", "a/b", "a/b/c"} <= await paths(mail)


async def test_what_cannot_be_created(mail: AccountMail) -> None:
    for path, error in (("Sent", AlreadyExists), ("INBOX", AlreadyExists), ("a\x01", Invalid)):
        with pytest.raises(error):
            await hierarchy.create(mail, path)


async def test_an_account_has_so_many_mailboxes(mail: AccountMail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy, "MAX_MAILBOXES", 7)
    await hierarchy.create(mail, "seventh")

    with pytest.raises(TooLarge):
        await hierarchy.create(mail, "eighth")


async def test_what_cannot_be_deleted(mail: AccountMail) -> None:
    await hierarchy.create(mail, "a/b")

    for path, error in (("a", Conflict), ("INBOX", Forbidden), ("nothing", NotFound)):
        with pytest.raises(error):
            await hierarchy.delete(mail, path)


async def test_children_follow_a_renamed_parent(mail: AccountMail) -> None:
    await hierarchy.create(mail, "a/b")

    await hierarchy.rename(mail, "a", "x/y")

    assert {"x", "x/y", "x/y/b"} <= await paths(mail)
    assert "a" not in await paths(mail)


async def test_what_cannot_be_renamed(mail: AccountMail) -> None:
    await hierarchy.create(mail, "a")

    for path, new_path, error in (("a", "a/b", Invalid), ("a", "Sent", AlreadyExists), ("no", "b", NotFound)):
        with pytest.raises(error):
            await hierarchy.rename(mail, path, new_path)


async def test_what_follows_a_renamed_parent_stays_within_reach(mail: AccountMail) -> None:
    """A child whose path is too long could be named by nobody any more, nor its messages be read."""
    deep = "/".join(["a"] + ["x" * 200] * 4)
    await hierarchy.create(mail, deep)

    for new_path in ("b" * 200, "/".join("b" * 17)):
        with pytest.raises(TooLarge):
            await hierarchy.rename(mail, "a", new_path)

    assert deep in await paths(mail)
