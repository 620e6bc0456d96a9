"""Where states come from: one source for each place where they are kept."""

from collections.abc import Collection
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.states import AccountStates


class StateSource(Protocol):
    async def states(self, account_ids: Collection[AccountId]) -> AccountStates:
        """As `/get` would tell them now, of the types that this source knows. Accounts that hold nothing yet may be
        left out. Raises DomainError."""
        ...
