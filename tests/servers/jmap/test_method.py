"""Whose mail a call may reach, and what a reference to a created thing means."""

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.rights import Grant, parse_rights
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with


async def test_ones_own_mail(world: JmapWorld) -> None:
    call = await world.call("u0")
    mail = await call.mail(call.login.account_id)
    assert (mail.account, mail.viewer) == (call.login, call.login)


@pytest.mark.parametrize("rights", ["lr", "l"])
async def test_anothers_who_shares_a_mailbox(world: JmapWorld, rights: str) -> None:
    owner, call = await world.account("u0"), await world.call("u1")
    await share(world, rights)
    mail = await call.mail(owner.account_id)
    assert (mail.account, mail.viewer) == (owner, call.login)


@pytest.mark.parametrize("rights", ["", "r"])
async def test_nobody_elses(world: JmapWorld, rights: str) -> None:
    owner, call = await world.account("u0"), await world.call("u1")
    await share(world, rights)
    for account_id in (owner.account_id, AccountId("nobody"), AccountId("")):
        with pytest.raises(MethodFault) as caught:
            await call.mail(account_id)
        assert caught.value.as_json() == {"type": MethodFaultType.ACCOUNT_NOT_FOUND.value}


async def test_references_to_what_was_created(world: JmapWorld) -> None:
    call = await world.call()
    call.created["k1"] = "F1-2"
    assert [call.id_of(text) for text in ("#k1", "k1", "#k2", "F1-2")] == ["F1-2", "k1", "#k2", "F1-2"]


async def share(world: JmapWorld, letters: str) -> None:
    owner, viewer = await world.account("u0"), await world.account("u1")
    sent = await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT)
    grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights(letters))
    await world.imap.store.sharing.change(owner.account_id, sent, grant)
