"""Mailboxes changed by their ids: what rights allow, and what somebody else does meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, NotFound, TooMany, UseRefused
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.mailbox_changes import Destroyed, Misfit, Obstacle, shape_of
from mailstack.model.principal import Account
from mailstack.model.rights import Grant, parse_rights
from mailstack.services.mailbox import arranging as arranging_module
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.arranging import Arranging, Wanted, arranging
from tests.support.imap_server import DOMAIN, running_imap

NEW = Wanted(parent_id=None, name="New", role=None, is_subscribed=False, sort_order=None)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """u0's mail as u0 and as u1 see it; Team is shared, with Open and Hidden below it."""

    own: AccountMail
    seen: AccountMail
    team: MailboxId
    open: MailboxId
    hidden: MailboxId

    async def grant(self, mailbox_id: MailboxId, rights: str) -> None:
        viewer = self.seen.viewer
        grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights(rights))
        await self.own.sharing.change(self.own.account_id, mailbox_id, grant)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Shared]:
    async with running_imap(tmp_path, accounts=("u0", "u1")) as server:
        owner, viewer = [await server.store.accounts.find(f"{name}@{DOMAIN}") for name in ("u0", "u1")]
        assert isinstance(owner, Account)
        assert isinstance(viewer, Account)
        own = server.service.mail_of(owner)
        made = [MailboxId(0)]
        for name in ("Team", "Open", "Hidden"):
            parent_id = made[1] if len(made) > 1 else None
            mailbox = await own.mailboxes.create(owner.account_id, parent_id=parent_id, name=name)
            made.append(mailbox.mailbox_id)
        _, team, open_, hidden = made
        world = Shared(own=own, seen=server.service.mail_of(viewer).of(owner), team=team, open=open_, hidden=hidden)
        await world.grant(team, "lk")
        await world.grant(open_, "lx")
        yield world


def wanted(at: Arranging, mailbox_id: MailboxId, **other: object) -> dict[MailboxId, Wanted]:
    found = at.seen[mailbox_id]
    mailbox = found.mailbox
    as_it_is = Wanted(
        parent_id=mailbox.parent_id,
        name=mailbox.name,
        role=mailbox.role,
        is_subscribed=found.is_subscribed,
        sort_order=found.sort_order,
    )
    return {mailbox_id: replace(as_it_is, **other)}  # type: ignore[arg-type]  # of any field


def known(at: Arranging, mailbox_id: MailboxId) -> tuple[object, ...]:
    found = at.seen[mailbox_id]
    return shape_of(found.mailbox), found.rights, found.is_subscribed, found.sort_order


async def test_a_name_that_may_not_be_known_is_not_told_to_be_taken(shared: Shared) -> None:
    at = await arranging(shared.seen)
    for name, fault in (("Open", AlreadyExists), ("Hidden", Forbidden)):
        with pytest.raises(fault):
            await at.create(replace(NEW, parent_id=shared.team, name=name), if_mod_seq=None)
    made, _ = await at.create(replace(NEW, parent_id=shared.team), if_mod_seq=None)
    await shared.grant(made.mailbox_id, "lx")
    at = await arranging(shared.seen)
    for name, told in (("Open", Misfit), ("Hidden", Forbidden)):
        result = await at.update(wanted(at, made.mailbox_id, name=name), if_mod_seq=None)
        assert [type(one) for one in result.refused.values()] == [told]


async def test_in_anothers_account_there_is_no_top_and_no_use_to_give(shared: Shared) -> None:
    at = await arranging(shared.seen)
    with pytest.raises(Forbidden):
        await at.create(NEW, if_mod_seq=None)
    with pytest.raises(UseRefused):
        await at.create(replace(NEW, parent_id=shared.team, role=MailboxRole.JUNK), if_mod_seq=None)
    for other, fault in (({"parent_id": None}, Forbidden), ({"role": MailboxRole.JUNK}, UseRefused)):
        result = await at.update(wanted(at, shared.open, **other), if_mod_seq=None)
        assert [type(one) for one in result.refused.values()] == [fault]
    with pytest.raises(Forbidden):
        await at.destroy(shared.team, with_messages=True, if_mod_seq=None)
    gone = await at.destroy(shared.open, with_messages=False, if_mod_seq=None)
    assert gone.obstacle is None
    assert shared.open not in at.seen


async def test_what_was_made_has_its_parent_s_list(shared: Shared) -> None:
    at = await arranging(shared.seen)
    made, _ = await at.create(replace(NEW, parent_id=shared.team, is_subscribed=True, sort_order=4), if_mod_seq=None)
    assert at.seen[made.mailbox_id].rights == parse_rights("lk")
    assert known(at, made.mailbox_id)[2:] == (True, 4)
    assert known(at, made.mailbox_id) == known(await arranging(shared.seen), made.mailbox_id)


async def test_the_others_are_changed_though_somebody_was_faster(shared: Shared) -> None:
    at, account_id = await arranging(shared.own), shared.own.account_id
    changes = {
        **wanted(at, shared.open, name="One"),
        **wanted(at, shared.hidden, name="Two", sort_order=2),
        **wanted(at, shared.team, name="Three"),
    }
    await shared.own.mailboxes.destroy(account_id, shared.open)
    await shared.own.mailboxes.create(account_id, parent_id=None, name="Three")
    before = await shared.own.changes.mod_seq(account_id)
    result = await at.update(changes, if_mod_seq=None)
    assert {one: type(fault) for one, fault in result.refused.items()} == {
        shared.open: NotFound,
        shared.team: AlreadyExists,
    }
    assert result.mod_seq == before + 1 == await shared.own.changes.mod_seq(account_id)
    assert known(at, shared.hidden) == known(await arranging(shared.own), shared.hidden)


async def test_only_in_the_state_that_was_seen(shared: Shared) -> None:
    at, account_id = await arranging(shared.own), shared.own.account_id
    before = await shared.own.changes.mod_seq(account_id)
    await shared.own.mailboxes.subscribe(account_id, shared.open, is_subscribed=True)
    with pytest.raises(Conflict):
        await at.create(NEW, if_mod_seq=before)
    with pytest.raises(Conflict):
        await at.update(wanted(at, shared.team, name="Three"), if_mod_seq=before)
    with pytest.raises(Conflict):
        await at.destroy(shared.open, with_messages=True, if_mod_seq=before)
    made, mod_seq = await at.create(NEW, if_mod_seq=await shared.own.changes.mod_seq(account_id))
    gone = await at.destroy(made.mailbox_id, with_messages=True, if_mod_seq=mod_seq)
    assert gone == Destroyed(await shared.own.changes.mod_seq(account_id), None)


async def test_what_keeps_a_mailbox(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    at = await arranging(shared.own)
    assert (await at.destroy(shared.team, with_messages=True, if_mod_seq=None)).obstacle is Obstacle.CHILDREN
    monkeypatch.setattr(arranging_module, "MAX_MAILBOXES", len(at.seen))
    with pytest.raises(TooMany):
        await at.create(NEW, if_mod_seq=None)
