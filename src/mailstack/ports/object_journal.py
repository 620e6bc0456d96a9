"""The changes to an account's objects that lie with the system: identities, submissions, scripts.

Each kind of an account counts for itself. Who writes an object writes here in the same transaction, and its number is
seen no sooner and no later than the object. Then the account's topic is published.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.object_journal import ChangedObjects, JournalPoint, ObjectKind


class ObjectJournal(Protocol):
    async def number(self, account_id: AccountId, kind: ObjectKind) -> int:
        """The highest given out; 0 where there was no change yet. Who reads objects as well reads it first."""
        ...

    async def numbers(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, Mapping[ObjectKind, int]]:
        """Of many accounts in one question; what is 0 is left out."""
        ...

    async def changed(
        self, account_id: AccountId, kind: ObjectKind, since: JournalPoint, *, limit: int
    ) -> ChangedObjects:
        """At most limit ids. Conflict when the journal no longer reaches back that far, or never came so far."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """What is older than 30 days; returns the number of rows. Once a day is enough."""
        ...
