"""What a state that a call names is worth while it writes."""

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.ids import ModSeq
from mailstack.servers.jmap.held_state import HeldState, hold_state
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, SetFaultType


def test_before_the_first_write_the_whole_call_is_too_late() -> None:
    held = hold_state(Arguments({"ifInState": "7"}), ModSeq(7))
    held.wrote(None)
    with pytest.raises(MethodFault) as fault:
        held.lost(Conflict())
    assert (held.mod_seq, fault.value.type) == (7, MethodFaultType.STATE_MISMATCH)


def test_afterwards_what_is_left_of_it() -> None:
    held = HeldState(ModSeq(7))
    held.wrote(ModSeq(8))
    assert (held.mod_seq, held.lost(Conflict()).type) == (8, SetFaultType.SERVER_UNAVAILABLE)


def test_who_names_none_compares_none() -> None:
    held = hold_state(Arguments({}), ModSeq(7))
    held.wrote(ModSeq(8))
    assert held.mod_seq is None
    assert held.lost(Conflict()).type is SetFaultType.SERVER_UNAVAILABLE
