"""The change log of one account: ports.changes in SQL, and its compaction."""

from collections.abc import Collection, Mapping, Sequence

from mailstack.model.changes import Change, ChangedType, ChangeKind, LogHead
from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, Uid
from mailstack.model.instant import DAY_MS, Instant
from mailstack.store.sql.change_log import ACCESS, CREATED, DESTROYED, NO_UID, NOWHERE, UPDATED
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Connection, Databases, Row, Transaction
from mailstack.store.sql.packs import repack_heads
from mailstack.store.sql.threading import forget_threads

KEPT_MS = 30 * DAY_MS
INLINE_LIMIT = 200

MOD_SEQ = "SELECT mod_seq FROM counter /*whole*/"
HEAD = "SELECT mod_seq, last_message_id, used_bytes FROM counter /*whole*/"
FLOOR = "SELECT floor_mod_seq FROM counter /*whole*/"
SINCE = f"""SELECT mod_seq, mailbox_id, uid, message_id, kind FROM change_log
    WHERE /*of*/ mod_seq > ? AND mailbox_id <> {NOWHERE} ORDER BY mod_seq, mailbox_id, uid LIMIT ?"""  # noqa: S608 - a number
SINCE_IN_MAILBOX = """SELECT mod_seq, mailbox_id, uid, message_id, kind FROM change_log
    WHERE /*of*/ mod_seq > ? AND mailbox_id = ? ORDER BY mod_seq, mailbox_id, uid LIMIT ?"""
OF_ONE = f"""SELECT mod_seq, mailbox_id, uid, message_id, kind FROM change_log
    WHERE /*of*/ mod_seq = ? AND mailbox_id <> {NOWHERE} ORDER BY mailbox_id, uid"""  # noqa: S608 - a number
OF_ONE_IN_MAILBOX = """SELECT mod_seq, mailbox_id, uid, message_id, kind FROM change_log
    WHERE /*of*/ mod_seq = ? AND mailbox_id = ? ORDER BY uid"""
DESTROYED_SINCE = f"""SELECT DISTINCT uid FROM change_log
    WHERE /*of*/ mod_seq > ? AND mailbox_id = ? AND kind = {DESTROYED} AND uid <> {NO_UID} ORDER BY uid"""  # noqa: S608
NEWEST_BEFORE = "SELECT COALESCE(MAX(mod_seq), 0) FROM change_log WHERE /*of*/ changed_at < ?"
FORGET = "DELETE FROM change_log WHERE /*of*/ mod_seq <= ?"
RAISE_FLOOR = """UPDATE counter
    SET floor_mod_seq = CASE WHEN floor_mod_seq < ?1 THEN ?1 ELSE floor_mod_seq END /*whole*/"""

_KINDS = {
    CREATED: ChangeKind.CREATED,
    UPDATED: ChangeKind.UPDATED,
    DESTROYED: ChangeKind.DESTROYED,
    ACCESS: ChangeKind.ACCESS,
}


class SqlChanges:
    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._codec = Codec()

    async def mod_seq(self, account_id: AccountId) -> ModSeq:
        database = await self._databases.get(account_id)
        return ModSeq((await database.one(MOD_SEQ))[0])

    async def heads(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, LogHead]:
        return await self._databases.heads(account_ids)

    async def since(
        self, account_id: AccountId, mod_seq: ModSeq, *, mailbox_id: MailboxId | None = None, limit: int = 10_000
    ) -> Sequence[Change]:
        """The changes of one ModSeq are never parted, for the next call starts above it: more than `limit` come when
        one alone is larger."""
        database = await self._databases.get(account_id)
        place = () if mailbox_id is None else (mailbox_id,)
        few, reach = await database.read(
            lambda connection: connection.ask((_sql(mailbox_id), (mod_seq, *place, INLINE_LIMIT)), (FLOOR, ()))
        )
        if len(few) < min(INLINE_LIMIT, limit + 1):
            changes = [_change(row) for row in few]
        else:
            changes, reach = await database.read_long(
                lambda connection: (_since(connection, mod_seq, mailbox_id, limit), connection.rows(FLOOR))
            )
        check_reach(account_id, mod_seq, reach)
        return changes

    async def destroyed_since(self, account_id: AccountId, mailbox_id: MailboxId, mod_seq: ModSeq) -> Sequence[Uid]:
        database = await self._databases.get(account_id)
        rows, reach = await database.read_long(
            lambda connection: connection.ask((DESTROYED_SINCE, (mod_seq, mailbox_id)), (FLOOR, ()))
        )
        check_reach(account_id, mod_seq, reach)
        return [Uid(row[0]) for row in rows]

    async def compact(self, account_id: AccountId, *, now: Instant) -> int:
        """Forgets what is older than 30 days, remembers how far; returns the number of rows. Forgets too what threads
        and lists still know of messages that are gone."""

        def work(transaction: Transaction) -> int:
            forget_threads(transaction)
            repack_heads(transaction, self._codec)
            (newest,) = transaction.one(NEWEST_BEFORE, (now - KEPT_MS,))
            if not newest:
                return 0
            transaction.run(RAISE_FLOOR, (newest + 1,))
            return transaction.run_counted(FORGET, (newest,))

        return await (await self._databases.get(account_id)).write(work, is_long=True)


def check_reach(account_id: AccountId, mod_seq: ModSeq, reach: Sequence[Row]) -> None:
    """reach: read afterwards, for the log may have been compacted by another process while it was read. Raises
    Conflict."""
    ((floor,),) = reach
    if mod_seq < floor - 1:
        raise Conflict(f"the change log of account {account_id} starts above {floor - 1}, {mod_seq} was asked for")


def _since(connection: Connection, mod_seq: ModSeq, mailbox_id: MailboxId | None, limit: int) -> list[Change]:
    place = () if mailbox_id is None else (mailbox_id,)
    rows = connection.rows(_sql(mailbox_id), (mod_seq, *place, limit + 1))
    if len(rows) > limit:
        cut = rows[-1][0]
        whole = [row for row in rows if row[0] != cut]
        rows = whole or connection.rows(OF_ONE if mailbox_id is None else OF_ONE_IN_MAILBOX, (cut, *place))
    return [_change(row) for row in rows]


def _sql(mailbox_id: MailboxId | None) -> str:
    return SINCE if mailbox_id is None else SINCE_IN_MAILBOX


def _change(row: Row) -> Change:
    mod_seq, mailbox_id, uid, message_id, kind = row
    is_mailbox = uid == NO_UID
    return Change(
        mod_seq=ModSeq(mod_seq),
        type=ChangedType.MAILBOX if is_mailbox else ChangedType.MESSAGE,
        kind=_KINDS[kind],
        mailbox_id=MailboxId(mailbox_id),
        message_id=None if is_mailbox else MessageId(message_id),
        uid=None if is_mailbox else Uid(uid),
    )
