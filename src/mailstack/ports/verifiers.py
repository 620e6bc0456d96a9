"""SCRAM verifiers across accounts: what a server asks that is about nobody in particular, and the one that it adds.

A verifier itself is part of its account's password_hash (ports.accounts). RFC 5802.
"""

from collections.abc import Collection
from typing import Protocol

from mailstack.model.ids import AccountId


class Verifiers(Protocol):
    async def iterations(self) -> Collection[int]:
        """The counts of iterations that there are; none where no account has a verifier. Reads all of them."""
        ...

    async def decoy_key(self) -> bytes:
        """Random, never shown, the same in every process on this store: what made-up verifiers are made of."""
        ...

    async def keep(self, account_id: AccountId, *, before: str, after: str) -> bool:
        """The account's password_hash becomes `after` if it still is `before`; no generation is made of it. False: the
        password was changed meanwhile, or the account is gone."""
        ...
