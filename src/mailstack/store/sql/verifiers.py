"""SCRAM verifiers across accounts: ports.verifiers in SQL. They stand in the secret that is the account's password."""

from collections.abc import Collection

from mailstack.model.ids import AccountId
from mailstack.model.password import verifier_of
from mailstack.store.sql.database import Connection, Database, Transaction

HASHES = """SELECT value FROM secret
    WHERE kind = 'account' AND label = 'password' AND value LIKE '%SCRAM-SHA-256$%'"""
DIGEST_KEY = "SELECT digest_key FROM installation"
# One statement, so that a password that is changed at the same moment is never joined by a verifier of the old one.
KEEP = """UPDATE secret SET value = ?
    WHERE kind = 'account' AND label = 'password' AND value = ?
        AND name = (SELECT login FROM account WHERE account_id = ?)
    RETURNING 1"""


class SqlVerifiers:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def iterations(self) -> Collection[int]:
        return await self._system.read_long(_iterations)

    async def decoy_key(self) -> bytes:
        return bytes((await self._system.one(DIGEST_KEY))[0])

    async def keep(self, account_id: AccountId, *, before: str, after: str) -> bool:
        def work(transaction: Transaction) -> bool:
            return transaction.row(KEEP, (after, before, account_id)) is not None

        return await self._system.write(work)


def _iterations(connection: Connection) -> frozenset[int]:
    found = (verifier_of(value) for (value,) in connection.rows(HASHES))
    return frozenset(verifier.iterations for verifier in found if verifier is not None)
