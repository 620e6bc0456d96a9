"""SCRAM verifiers of the accounts in memory."""

from collections.abc import Collection
from dataclasses import replace

from mailstack.model.ids import AccountId
from mailstack.model.password import verifier_of
from mailstack.store.memory.accounts import MemoryAccounts


class MemoryVerifiers:
    """Works as ports.verifiers.Verifiers."""

    def __init__(self, accounts: MemoryAccounts) -> None:
        self._accounts = accounts

    async def iterations(self) -> Collection[int]:
        found = [verifier_of(account.password_hash) for account in self._accounts.accounts()]
        return frozenset(verifier.iterations for verifier in found if verifier is not None)

    async def decoy_key(self) -> bytes:
        return bytes(32)

    async def keep(self, account_id: AccountId, *, before: str, after: str) -> bool:
        account = await self._accounts.account(account_id)
        if account is None or account.password_hash != before:
            return False
        self._accounts.put(replace(account, password_hash=after))
        return True
