"""Entries of RFC 5464 in the owner's file: ports.annotations in SQL."""

from collections.abc import Mapping, Sequence

from mailstack.model.annotation import MAX_TOTAL_ENTRIES, MAX_TOTAL_OCTETS, is_private
from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import Clock
from mailstack.ports.bus import account_topic
from mailstack.store.sql.counters import MAILBOX_EXISTS
from mailstack.store.sql.database import Databases, Transaction
from mailstack.store.sql.mailboxes import touch_mailbox

READ = "SELECT entry, value FROM annotation WHERE COALESCE(mailbox_id, 0) = ? AND viewer_id IN (?, '')"
READ_ALL = "SELECT mailbox_id, entry, value FROM annotation WHERE mailbox_id IS NOT NULL AND viewer_id IN (?, '')"
ADD = "INSERT INTO annotation (mailbox_id, viewer_id, entry, value) VALUES (?, ?, ?, ?)"
REMOVE = "DELETE FROM annotation WHERE COALESCE(mailbox_id, 0) = ? AND entry = ? AND viewer_id = ?"
# The shared ones and each viewer's private ones count apart: nobody can use up what others may set.
FULLEST = """SELECT COALESCE(MAX(entries), 0) FROM (
    SELECT COUNT(*) AS entries FROM annotation WHERE COALESCE(mailbox_id, 0) = ? AND viewer_id IN (?, '')
    GROUP BY viewer_id)"""
TOTALS = """SELECT COUNT(*) AS entries, TOTAL(LENGTH(value)) AS octets FROM annotation WHERE viewer_id IN (?, '')
    GROUP BY viewer_id"""
VALUE = "SELECT value FROM annotation WHERE COALESCE(mailbox_id, 0) = ? AND entry = ? AND viewer_id = ?"
ACCOUNT_ITSELF = 0


class SqlAnnotations:
    def __init__(self, databases: Databases, *, clock: Clock) -> None:
        self._databases = databases
        self._clock = clock

    async def read(self, owner: AccountId, mailbox_id: MailboxId | None, *, viewer: AccountId) -> Mapping[str, bytes]:
        database = await self._databases.get(owner)
        rows = await database.rows(READ, (mailbox_id or ACCOUNT_ITSELF, viewer))
        if not rows and mailbox_id is not None and await database.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
            raise NotFound(f"there is no mailbox {mailbox_id}")
        return dict(rows)

    async def read_all(self, owner: AccountId, *, viewer: AccountId) -> Mapping[MailboxId, Mapping[str, bytes]]:
        found: dict[MailboxId, dict[str, bytes]] = {}
        database = await self._databases.get(owner)
        for mailbox_id, entry, value in await database.rows(READ_ALL, (viewer,)):
            found.setdefault(MailboxId(mailbox_id), {})[entry] = value
        return found

    async def change(
        self,
        owner: AccountId,
        mailbox_id: MailboxId | None,
        entries: Sequence[tuple[str, bytes | None]],
        *,
        viewer: AccountId,
        limit: int,
    ) -> None:
        now = self._clock()

        def work(transaction: Transaction) -> None:
            if mailbox_id is not None and transaction.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
                raise NotFound(f"there is no mailbox {mailbox_id}")
            is_changed = False
            for entry, value in entries:
                key = (mailbox_id or ACCOUNT_ITSELF, entry, viewer if is_private(entry) else "")
                before = transaction.row(VALUE, key)
                if value == (None if before is None else before[0]):
                    continue
                is_changed = True
                transaction.run(REMOVE, key)
                if value is not None:
                    transaction.run(ADD, (mailbox_id, key[2], entry, value))
            if is_changed:
                _check_limits(transaction, mailbox_id, viewer, limit)
            if is_changed and mailbox_id is not None:
                touch_mailbox(transaction, mailbox_id, now)
                transaction.announce(account_topic(owner))

        await (await self._databases.get(owner)).write(work)


def _check_limits(transaction: Transaction, mailbox_id: MailboxId | None, viewer: AccountId, limit: int) -> None:
    if transaction.one(FULLEST, (mailbox_id or ACCOUNT_ITSELF, viewer))[0] > limit:
        raise TooMany(f"at most {limit} annotations")
    for entries, octets in transaction.rows(TOTALS, (viewer,)):
        if entries > MAX_TOTAL_ENTRIES or octets > MAX_TOTAL_OCTETS:
            raise TooMany("the account has annotations enough")
