"""The answers of accounts whose users are away. RFC 8621 §8."""

from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.vacation import Vacation


class Vacations(Protocol):
    async def read(self, account_id: AccountId) -> Vacation:
        """NO_VACATION where nothing was said yet."""
        ...

    async def replace(
        self,
        account_id: AccountId,
        before: Vacation,
        after: Vacation,
        *,
        script: bytes | None,
        if_number: int | None = None,
    ) -> None:
        """Durable when it returns. script: `after` as Sieve, which runs over the account's mail from now on; None
        where it is off. if_number: of ObjectKind.VACATION, where that has to be as it was. Raises Conflict where it is
        another, or there is something else than `before`; NotFound where there is no such account."""
        ...
