"""The state that a /set is asked to begin in, held while it writes. RFC 8620 §5.3.

The first write compares it in its own transaction, so that of two callers who know the same state one is too late; the
others compare what the call itself has written last, so that nobody comes between.
"""

from mailstack.model.errors import Conflict, TryAgainLater
from mailstack.model.ids import ModSeq
from mailstack.servers.jmap.errors import set_fault
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, SetFault


class HeldState:
    """before: the state that the call began in. mod_seq: what a write is to compare; None: the call names no state."""

    def __init__(self, before: ModSeq, mod_seq: ModSeq | None) -> None:
        self._before = before
        self.mod_seq = mod_seq
        self._writes = 0

    def wrote(self, mod_seq: ModSeq | None) -> None:
        """mod_seq: what the write took; None: it changed nothing."""
        if mod_seq is None:
            return
        self._writes += 1
        if self.mod_seq is not None:
            self.mod_seq = mod_seq

    def wrote_last(self) -> None:
        """Nothing that follows compares anything."""
        self._writes += 1

    def new_state(self, now: ModSeq) -> str:
        """A client goes on from there: where others wrote meanwhile /changes must tell it, and so what the call wrote
        is told once more."""
        return str(now if now - self._before == self._writes else self._before)

    def lost(self, fault: Conflict | TryAgainLater) -> SetFault:
        """For what is left of a call whose beginning is written already: no fault of the whole call, which would say
        that nothing was done (RFC 8620 §3.6.2). Raises MethodFault where nothing is, and the state is another."""
        if self.mod_seq is not None and not self._writes and isinstance(fault, Conflict):
            raise MethodFault(MethodFaultType.STATE_MISMATCH)
        return set_fault(fault)


def hold_state(arguments: Arguments, mod_seq: ModSeq, *, name: str = "ifInState") -> HeldState:
    """mod_seq: as it is now. Raises MethodFault."""
    wanted = arguments.optional_text(name)
    if wanted is not None and wanted != str(mod_seq):
        raise MethodFault(MethodFaultType.STATE_MISMATCH)
    return HeldState(mod_seq, None if wanted is None else mod_seq)
