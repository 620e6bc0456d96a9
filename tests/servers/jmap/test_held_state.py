"""What a state that a call names is worth while it writes."""

import pytest

from mailstack.model.errors import Conflict, TryAgainLater
from mailstack.model.ids import EmailId, ModSeq
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import email_object_id
from mailstack.servers.jmap.email_changes import METHOD as EMAIL_CHANGES
from mailstack.servers.jmap.email_set import METHOD as EMAIL_SET
from mailstack.servers.jmap.held_state import HeldState, hold_state
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, SetFaultType
from tests.support.jmap_calls import ask, put
from tests.support.jmap_world import JmapWorld
from tests.support.restless import make_restless
from tests.support.stores import mailbox_with, new_message


def test_before_the_first_write_the_whole_call_is_too_late() -> None:
    held = hold_state(Arguments({"ifInState": "7"}), ModSeq(7))
    held.wrote(None)
    with pytest.raises(MethodFault) as fault:
        held.lost(Conflict())
    assert (held.mod_seq, fault.value.type) == (7, MethodFaultType.STATE_MISMATCH)


def test_afterwards_what_is_left_of_it() -> None:
    held = HeldState(ModSeq(7), ModSeq(7))
    held.wrote(ModSeq(8))
    assert (held.mod_seq, held.lost(Conflict()).type) == (8, SetFaultType.SERVER_UNAVAILABLE)


@pytest.mark.parametrize("mod_seq", [None, ModSeq(7)])
def test_what_cannot_be_written_for_now_ends_no_call_that_may_have_done_something(mod_seq: ModSeq | None) -> None:
    assert HeldState(ModSeq(7), mod_seq).lost(TryAgainLater()).type is SetFaultType.SERVER_UNAVAILABLE


def test_who_names_none_compares_none() -> None:
    held = hold_state(Arguments({}), ModSeq(7))
    held.wrote(ModSeq(8))
    assert held.mod_seq is None
    assert held.lost(Conflict()).type is SetFaultType.SERVER_UNAVAILABLE


@pytest.mark.parametrize(("now", "told"), [(7, "7"), (9, "9"), (10, "7")], ids=["nothing", "all-ours", "others-too"])
def test_from_the_new_state_a_client_misses_nothing(now: int, told: str) -> None:
    held = HeldState(ModSeq(7), None)
    if now > 7:
        held.wrote(ModSeq(8))
        held.wrote(None)
        held.wrote_last()
    assert held.new_state(ModSeq(now)) == told


async def test_what_comes_amid_a_call_is_told_of_afterwards(world: JmapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    account_id, store = (await world.account()).account_id, world.imap.store
    first, second = await put(world, MailboxRole.INBOX, new_message(1), new_message(2))
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    moments = 0

    async def meanwhile() -> None:
        """Once the call has looked at the state: mail is delivered."""
        nonlocal moments
        moments += 1
        if moments == 2:
            await store.messages.append(account_id, inbox, [new_message(3)])

    make_restless(store, meanwhile, monkeypatch)
    ids = [email_object_id(account_id, EmailId(one)) for one in (first, second)]
    answer = await ask(world, EMAIL_SET, update={ids[0]: {"keywords/$seen": True}}, destroy=[ids[1]])
    assert (answer["updated"], answer["destroyed"], answer["newState"]) == (
        {ids[0]: None},
        [ids[1]],
        answer["oldState"],
    )
    changes = await ask(world, EMAIL_CHANGES, sinceState=answer["newState"])
    assert changes["created"] == [email_object_id(account_id, EmailId(second + 1))]
