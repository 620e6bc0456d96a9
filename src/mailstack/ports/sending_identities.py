"""The identities that people made for themselves, and what they changed of those that the server gives them."""

from collections.abc import Collection, Sequence
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.sending_identity import SendingIdentity


class SendingIdentities(Protocol):
    async def all(self, account_id: AccountId) -> tuple[int, Sequence[SendingIdentity]]:
        """With the number that the object journal is at, of one moment; by id."""
        ...

    async def write(
        self,
        account_id: AccountId,
        *,
        created: Sequence[SendingIdentity] = (),
        updated: Sequence[SendingIdentity] = (),
        destroyed: Collection[str] = (),
        if_number: int,
    ) -> int:
        """Durable when it returns, whole, and in the object journal; returns its new number. updated: also what was
        not kept before. Raises Conflict where the journal is at another number, NotFound for no account."""
        ...
