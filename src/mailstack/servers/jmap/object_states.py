"""The states of objects that lie with the system, as their `/get` tells them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailstack.model.ids import AccountId
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.states import AccountStates, States, StateType
from mailstack.ports.object_journal import ObjectJournal
from mailstack.wire.jmap.states import write_object_state

TYPES = {kind: StateType(kind.value) for kind in ObjectKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStates:
    """Works as services.states.source.StateSource."""

    journal: ObjectJournal

    async def states(self, account_ids: Collection[AccountId]) -> AccountStates:
        numbers = await self.journal.numbers(account_ids)
        return {account_id: _states(numbers.get(account_id, {})) for account_id in account_ids}


def _states(numbers: Mapping[ObjectKind, int]) -> States:
    return {type_: write_object_state(JournalPoint(numbers.get(kind, 0))) for kind, type_ in TYPES.items()}
