"""What is to be known of accounts' rows: store.sql.upkeep's Premises on PostgreSQL."""

from collections.abc import Collection, Iterator, Mapping

import orjson

from mailstack.model.ids import AccountId
from mailstack.model.upkeep import Flaw
from mailstack.store.postgres.databases import PostgresDatabase
from mailstack.store.sql.database import Connection

HELD = """SELECT a.login, c.used_bytes FROM account a JOIN counter c ON c.account_id = a.account_id
    WHERE a.login IN (SELECT value FROM json_each(?) AS texts) AND c.used_bytes > 0 ORDER BY a.login"""
# As they lie there, compressed; without what indexes take. A bucket does not say how large what is in it has become.
DISK_BYTES = """SELECT CAST(COALESCE(SUM(size_bytes), 0) AS bigint) FROM (
    SELECT SUM(pg_column_size(p)) AS size_bytes FROM placement p /*whole p*/
    UNION ALL SELECT SUM(pg_column_size(m)) FROM message m /*whole m*/
    UNION ALL SELECT SUM(pg_column_size(forms) + COALESCE(pg_column_size(content), 0)) FROM blob /*whole*/
    UNION ALL SELECT SUM(m.size_bytes) FROM blob b JOIN message m ON /*of m*/ m.message_id = b.blob_key
        WHERE /*of b*/ b.file IS NOT NULL
    UNION ALL SELECT SUM(pg_column_size(envelopes) + pg_column_size(header_blocks) + pg_column_size(structures)
        + pg_column_size(words)) FROM head_pack /*whole*/
    UNION ALL SELECT SUM(pg_column_size(words)) FROM search_vocabulary /*whole*/
    UNION ALL SELECT SUM(pg_column_size(words)) FROM search_index /*whole*/) AS listed"""


class AccountRows:
    name = "the database"

    def __init__(self, system: PostgresDatabase) -> None:
        self._system = system

    async def held(self, logins: Collection[str]) -> Mapping[str, int]:
        return dict(await self._system.rows(HELD, (orjson.dumps(list(logins)).decode(),)))

    def disk_bytes(self, connection: Connection, account_id: AccountId) -> int:  # noqa: ARG002 - the connection's own
        return int(connection.one(DISK_BYTES)[0])

    def flaws(self, connection: Connection) -> Iterator[Flaw]:  # noqa: ARG002 - the server watches over its own files
        return iter(())
