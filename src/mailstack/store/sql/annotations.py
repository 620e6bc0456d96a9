"""Entries of RFC 5464 in the owner's file: ports.annotations in SQL."""

from collections.abc import Mapping, Sequence

from mailstack.model.annotation import MAX_TOTAL_ENTRIES, MAX_TOTAL_OCTETS, SORT_ORDER, is_private
from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import Clock
from mailstack.ports.bus import account_topic
from mailstack.store.sql.counters import MAILBOX_EXISTS
from mailstack.store.sql.database import Databases, Transaction
from mailstack.store.sql.mailboxes import touch_mailbox

READ = "SELECT entry, value FROM annotation WHERE /*of*/ COALESCE(mailbox_id, 0) = ? AND viewer_id IN (?, '')"
READ_ALL = """SELECT mailbox_id, entry, value FROM annotation
    WHERE /*of*/ mailbox_id IS NOT NULL AND viewer_id IN (?, '')"""
ALL_OF_ONE = """SELECT mailbox_id, value FROM annotation
    WHERE /*of*/ mailbox_id IS NOT NULL AND entry = ? AND viewer_id IN (?, '')"""
ADD = "INSERT INTO annotation (/*key*/ mailbox_id, viewer_id, entry, value) VALUES (/*value*/ ?, ?, ?, ?)"
REMOVE = "DELETE FROM annotation WHERE /*of*/ COALESCE(mailbox_id, 0) = ? AND entry = ? AND viewer_id = ?"
# The shared ones and each viewer's private ones count apart: nobody can use up what others may set.
_COUNTED = f"COALESCE(SUM(CASE WHEN entry = '{SORT_ORDER}' THEN 0 ELSE 1 END), 0) AS entries"
FULLEST = f"""SELECT COALESCE(MAX(entries), 0) FROM (
    SELECT {_COUNTED} FROM annotation
    WHERE /*of*/ COALESCE(mailbox_id, 0) = ? AND viewer_id IN (?, '') GROUP BY viewer_id) AS counted"""  # noqa: S608 - no input
TOTALS = f"""SELECT {_COUNTED}, SUM(LENGTH(value)) AS octets FROM annotation WHERE /*of*/ viewer_id IN (?, '')
    GROUP BY viewer_id"""  # noqa: S608 - no input
VALUE = "SELECT value FROM annotation WHERE /*of*/ COALESCE(mailbox_id, 0) = ? AND entry = ? AND viewer_id = ?"
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

    async def values(self, owner: AccountId, entry: str, *, viewer: AccountId) -> Mapping[MailboxId, bytes]:
        database = await self._databases.get(owner)
        return {MailboxId(mailbox_id): value for mailbox_id, value in await database.rows(ALL_OF_ONE, (entry, viewer))}

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
            if not write_entries(transaction, mailbox_id, entries, viewer):
                return
            _check_limits(transaction, mailbox_id, viewer, limit)
            if mailbox_id is not None:
                touch_mailbox(transaction, mailbox_id, now)
                transaction.announce(account_topic(owner))

        await (await self._databases.get(owner)).write(work)


def write_entries(
    transaction: Transaction,
    mailbox_id: MailboxId | None,
    entries: Sequence[tuple[str, bytes | None]],
    viewer: AccountId,
) -> bool:
    """Whether anything is another than before. Raises NotFound."""
    keys = [(mailbox_id or ACCOUNT_ITSELF, entry, viewer if is_private(entry) else "") for entry, _ in entries]
    mailbox, *found = transaction.ask(
        (MAILBOX_EXISTS, (mailbox_id or ACCOUNT_ITSELF,)), *((VALUE, key) for key in keys)
    )
    if mailbox_id is not None and not mailbox:
        raise NotFound(f"there is no mailbox {mailbox_id}")
    values = {key: rows[0][0] if rows else None for key, rows in zip(keys, found, strict=True)}
    is_changed = False
    for key, (entry, value) in zip(keys, entries, strict=True):
        if value == values[key]:
            continue
        values[key] = value
        is_changed = True
        transaction.run(REMOVE, key)
        if value is not None:
            transaction.run(ADD, (mailbox_id, key[2], entry, value))
    return is_changed


def _check_limits(transaction: Transaction, mailbox_id: MailboxId | None, viewer: AccountId, limit: int) -> None:
    ((most,),), totals = transaction.ask((FULLEST, (mailbox_id or ACCOUNT_ITSELF, viewer)), (TOTALS, (viewer,)))
    if most > limit:
        raise TooMany(f"at most {limit} annotations")
    for entries, octets in totals:
        if entries > MAX_TOTAL_ENTRIES or octets > MAX_TOTAL_OCTETS:
            raise TooMany("the account has annotations enough")
