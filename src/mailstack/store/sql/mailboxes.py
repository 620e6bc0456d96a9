"""The mailbox tree of one account: ports.mailboxes in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from mailstack.model.ids import AccountId, MailboxId, ModSeq, Uid
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.model.mailbox import INBOX, STANDARD_MAILBOXES, Mailbox, MailboxRole, MailboxStatus
from mailstack.ports.bus import account_topic
from mailstack.store.sql.blobs import Blobs, HeldBlobs
from mailstack.store.sql.change_log import ACCESS, CREATED, DESTROYED, NO_UID, UPDATED
from mailstack.store.sql.counters import next_mod_seq
from mailstack.store.sql.database import Databases, Row, Transaction
from mailstack.store.sql.removal import ALL_PLACEMENTS, remove_placements
from mailstack.store.sql.storing import tidy

COUNTS = "messages, unseen, deleted, size_bytes, uid_next, uid_validity, mod_seq"
COLUMNS = f"mailbox_id, parent_id, name, role, is_subscribed, {COUNTS}"
LIST = f"SELECT {COLUMNS} FROM mailbox /*whole*/ ORDER BY mailbox_id"  # noqa: S608
ONE = f"SELECT {COLUMNS} FROM mailbox WHERE /*of*/ mailbox_id = ?"  # noqa: S608
CHILD = f"SELECT {COLUMNS} FROM mailbox WHERE /*of*/ COALESCE(parent_id, 0) = ? AND name = ?"  # noqa: S608
STATUS = f"SELECT {COUNTS} FROM mailbox WHERE /*of*/ mailbox_id = ?"  # noqa: S608
KEYWORDS = "SELECT keyword FROM mailbox_keyword WHERE /*of*/ mailbox_id = ? ORDER BY keyword"
ANY = "SELECT 1 FROM mailbox /*whole*/ LIMIT 1"
TAKEN = "SELECT 1 FROM mailbox WHERE /*of*/ COALESCE(parent_id, 0) = ? AND name = ?"
ROLE_TAKEN = "SELECT 1 FROM mailbox WHERE /*of*/ role = ?"
HAS_CHILDREN = "SELECT 1 FROM mailbox WHERE /*of*/ parent_id = ? LIMIT 1"
# RFC 9051 §2.3.1.1: a mailbox made anew under an old name has a larger UIDVALIDITY; the clock makes it larger even
# than those of an account file that was lost.
NEXT_MAILBOX = """UPDATE counter SET last_mailbox_id = last_mailbox_id + 1,
    last_uid_validity = MAX(last_uid_validity + 1, ?) /*whole*/ RETURNING last_mailbox_id, last_uid_validity"""
INSERT = """INSERT INTO mailbox (/*key*/ mailbox_id, parent_id, name, role, is_subscribed, uid_validity, mod_seq)
    VALUES (/*value*/ ?, ?, ?, ?, ?, ?, ?)"""
RENAME = "UPDATE mailbox SET parent_id = ?, name = ?, mod_seq = ? WHERE /*of*/ mailbox_id = ?"
SUBSCRIBE = "UPDATE mailbox SET is_subscribed = ?, mod_seq = ? WHERE /*of*/ mailbox_id = ?"
DELETE = "DELETE FROM mailbox WHERE /*of*/ mailbox_id = ?"
ABSENT = "SELECT path FROM absent_subscription /*whole*/"
SUBSCRIBE_ABSENT = """INSERT INTO absent_subscription (/*key*/ path) SELECT /*value*/ ?
    WHERE (SELECT COUNT(*) FROM absent_subscription /*whole*/) < 1000 ON CONFLICT DO NOTHING"""
UNSUBSCRIBE_ABSENT = "DELETE FROM absent_subscription WHERE /*of*/ path = ?"
ROLE_HOLDER = "SELECT mailbox_id FROM mailbox WHERE /*of*/ role = ?"
SET_ROLE = "UPDATE mailbox SET role = ?, mod_seq = ? WHERE /*of*/ mailbox_id = ?"
TOUCH = "UPDATE mailbox SET mod_seq = ? WHERE /*of*/ mailbox_id = ?"
LOG_ITSELF = """INSERT INTO change_log (/*key*/ mod_seq, mailbox_id, uid, message_id, kind, changed_at)
    VALUES (/*value*/ ?, ?, ?, 0, ?, ?)"""


class SqlMailboxes:
    def __init__(self, databases: Databases, *, blobs: Blobs, clock: Clock) -> None:
        self._databases = databases
        self._blobs = blobs
        self._clock = clock

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        database = await self._databases.get(account_id)
        return [_mailbox(row) for row in await database.rows(LIST)]

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        database = await self._databases.get(account_id)
        row: Row | None = None
        for name in names:
            row = await database.row(CHILD, (0 if row is None else row[0], name))
            if row is None:
                return None
        return None if row is None else _mailbox(row)

    async def has_children(self, account_id: AccountId, mailbox_id: MailboxId) -> bool:
        database = await self._databases.get(account_id)
        return await database.row(HAS_CHILDREN, (mailbox_id,)) is not None

    async def status(self, account_id: AccountId, mailbox_id: MailboxId) -> MailboxStatus:
        database = await self._databases.get(account_id)
        row = await database.row(STATUS, (mailbox_id,))
        if row is None:
            raise _no_mailbox(mailbox_id)
        return _status(row)

    async def keywords(self, account_id: AccountId, mailbox_id: MailboxId) -> Sequence[str]:
        database = await self._databases.get(account_id)
        return [keyword for (keyword,) in await database.rows(KEYWORDS, (mailbox_id,))]

    async def create(
        self, account_id: AccountId, *, parent_id: MailboxId | None, name: str, role: MailboxRole | None = None
    ) -> Mailbox:
        now = self._clock()

        def work(transaction: Transaction) -> Mailbox:
            mailbox_id = insert_checked(transaction, now, parent_id=parent_id, name=name, role=role)
            transaction.announce(account_topic(account_id))
            return require_mailbox(transaction, mailbox_id)

        return await (await self._databases.get(account_id)).write(work)

    async def rename(
        self, account_id: AccountId, mailbox_id: MailboxId, *, parent_id: MailboxId | None, name: str
    ) -> None:
        now = self._clock()

        def work(transaction: Transaction) -> None:
            mailbox = require_mailbox(transaction, mailbox_id)
            if mailbox.role is MailboxRole.INBOX:
                raise Forbidden("the inbox keeps its name and its place")
            if (mailbox.parent_id, mailbox.name) == (parent_id, name):
                return
            _require_place(transaction, mailbox_id, parent_id)
            _require_free(transaction, parent_id, name)
            mod_seq = next_mod_seq(transaction)
            transaction.run(RENAME, (parent_id, name, mod_seq, mailbox_id))
            kind = UPDATED if parent_id == mailbox.parent_id else ACCESS
            transaction.run(LOG_ITSELF, (mod_seq, mailbox_id, NO_UID, kind, now))
            transaction.announce(account_topic(account_id))

        await (await self._databases.get(account_id)).write(work)

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        now = self._clock()

        def work(transaction: Transaction) -> None:
            if require_mailbox(transaction, mailbox_id).is_subscribed is is_subscribed:
                return
            mod_seq = next_mod_seq(transaction)
            transaction.run(SUBSCRIBE, (is_subscribed, mod_seq, mailbox_id))
            transaction.run(LOG_ITSELF, (mod_seq, mailbox_id, NO_UID, UPDATED, now))
            transaction.announce(account_topic(account_id))

        await (await self._databases.get(account_id)).write(work)

    async def absent_subscriptions(self, account_id: AccountId) -> frozenset[str]:
        database = await self._databases.get(account_id)
        return frozenset(path for (path,) in await database.rows(ABSENT))

    async def subscribe_absent(self, account_id: AccountId, path: str, *, is_subscribed: bool) -> None:
        statement = SUBSCRIBE_ABSENT if is_subscribed else UNSUBSCRIBE_ABSENT
        database = await self._databases.get(account_id)
        await database.write(lambda transaction: transaction.run(statement, (path,)))

    async def assign_role(self, account_id: AccountId, mailbox_id: MailboxId, role: MailboxRole | None) -> None:
        now = self._clock()

        def work(transaction: Transaction) -> None:
            mailbox = require_mailbox(transaction, mailbox_id)
            if MailboxRole.INBOX in (mailbox.role, role):
                raise Forbidden("the inbox keeps its role")
            if mailbox.role is role:
                return
            mod_seq = next_mod_seq(transaction)
            holder = transaction.row(ROLE_HOLDER, (role,))
            changes = [(None, holder[0])] if holder is not None else []
            for new_role, changed in (*changes, (role, mailbox_id)):
                transaction.run(SET_ROLE, (new_role, mod_seq, changed))
                transaction.run(LOG_ITSELF, (mod_seq, changed, NO_UID, UPDATED, now))
            transaction.announce(account_topic(account_id))

        await (await self._databases.get(account_id)).write(work)

    async def destroy(self, account_id: AccountId, mailbox_id: MailboxId) -> None:
        now = self._clock()
        database = await self._databases.get(account_id)

        def work(transaction: Transaction) -> None:
            require_destroyable(transaction, mailbox_id)
            if transaction.row(HAS_CHILDREN, (mailbox_id,)):
                raise Conflict(f"mailbox {mailbox_id} has mailboxes below it")
            remove(transaction, mailbox_id, self._blobs.of_account(account_id), now)
            transaction.announce(account_topic(account_id))

        await database.write(work, is_long=True)


def touch_mailbox(transaction: Transaction, mailbox_id: MailboxId, now: Instant, *, kind: int = UPDATED) -> ModSeq:
    """Something about the mailbox changed that is kept elsewhere: a row in the change log."""
    mod_seq = next_mod_seq(transaction)
    transaction.run(TOUCH, (mod_seq, mailbox_id))
    transaction.run(LOG_ITSELF, (mod_seq, mailbox_id, NO_UID, kind, now))
    return mod_seq


def all_mailboxes(transaction: Transaction) -> Mapping[MailboxId, Mailbox]:
    return {MailboxId(row[0]): _mailbox(row) for row in transaction.rows(LIST)}


def insert_checked(
    transaction: Transaction,
    now: Instant,
    *,
    parent_id: MailboxId | None,
    name: str,
    role: MailboxRole | None,
    is_subscribed: bool = False,
) -> MailboxId:
    """Raises NotFound, AlreadyExists."""
    if parent_id is not None:
        require_mailbox(transaction, parent_id)
    _require_free(transaction, parent_id, name)
    if role is not None and transaction.row(ROLE_TAKEN, (role,)):
        raise AlreadyExists(f"there is a mailbox with the role {role}")
    mod_seq = next_mod_seq(transaction)
    return _insert(transaction, now, mod_seq, parent_id=parent_id, name=name, role=role, is_subscribed=is_subscribed)


def require_destroyable(transaction: Transaction, mailbox_id: MailboxId) -> Mailbox:
    """Raises NotFound, Forbidden."""
    mailbox = require_mailbox(transaction, mailbox_id)
    if mailbox.role is MailboxRole.INBOX:
        raise Forbidden("the inbox cannot be destroyed: mail is delivered there")
    return mailbox


def remove(transaction: Transaction, mailbox_id: MailboxId, held: HeldBlobs, now: Instant) -> ModSeq:
    """With all that lies in it."""
    mod_seq = next_mod_seq(transaction)
    gone = transaction.rows(ALL_PLACEMENTS, (mailbox_id,))
    tidy(transaction, held, remove_placements(transaction, mailbox_id, gone, mod_seq=mod_seq, now=now))
    transaction.run(DELETE, (mailbox_id,))
    transaction.run(LOG_ITSELF, (mod_seq, mailbox_id, NO_UID, DESTROYED, now))
    return mod_seq


def require_mailbox(transaction: Transaction, mailbox_id: MailboxId) -> Mailbox:
    """Raises NotFound."""
    row = transaction.row(ONE, (mailbox_id,))
    if row is None:
        raise _no_mailbox(mailbox_id)
    return _mailbox(row)


def make_standard_mailboxes(transaction: Transaction, now: Instant) -> None:
    """At the account's first use. Another process may have been faster."""
    if transaction.row(ANY):
        return
    mod_seq = next_mod_seq(transaction)
    for name, role in STANDARD_MAILBOXES:
        _insert(transaction, now, mod_seq, parent_id=None, name=name, role=role, is_subscribed=True)


def _insert(
    transaction: Transaction,
    now: Instant,
    mod_seq: int,
    *,
    parent_id: MailboxId | None,
    name: str,
    role: MailboxRole | None,
    is_subscribed: bool = False,
) -> MailboxId:
    mailbox_id, uid_validity = transaction.one(NEXT_MAILBOX, (now // SECOND_MS,))
    transaction.run(INSERT, (mailbox_id, parent_id, name, role, is_subscribed, uid_validity, mod_seq))
    transaction.run(LOG_ITSELF, (mod_seq, mailbox_id, NO_UID, CREATED, now))
    return MailboxId(mailbox_id)


def _require_free(transaction: Transaction, parent_id: MailboxId | None, name: str) -> None:
    # RFC 9051 §5.1: INBOX is the same name in any case; other names are told apart by it.
    if parent_id is None and name.upper() == INBOX:
        name = INBOX
    if transaction.row(TAKEN, (parent_id or 0, name)):
        raise AlreadyExists("there is a mailbox of this name")


def _require_place(transaction: Transaction, mailbox_id: MailboxId, parent_id: MailboxId | None) -> None:
    """The new parent exists, and is neither the mailbox nor below it."""
    above = parent_id
    while above is not None:
        if above == mailbox_id:
            raise Invalid("a mailbox cannot be moved below itself")
        above = require_mailbox(transaction, above).parent_id


def _mailbox(row: Row) -> Mailbox:
    mailbox_id, parent_id, name, role, is_subscribed, *counts = row
    return Mailbox(
        mailbox_id=MailboxId(mailbox_id),
        parent_id=None if parent_id is None else MailboxId(parent_id),
        name=name,
        role=None if role is None else MailboxRole(role),
        is_subscribed=bool(is_subscribed),
        status=_status(counts),
    )


def _status(counts: Sequence[Any]) -> MailboxStatus:
    messages, unseen, deleted, size_bytes, uid_next, uid_validity, mod_seq = counts
    return MailboxStatus(
        messages=messages,
        unseen=unseen,
        deleted=deleted,
        size_bytes=size_bytes,
        uid_next=Uid(uid_next),
        uid_validity=uid_validity,
        highest_mod_seq=ModSeq(mod_seq),
    )


def _no_mailbox(mailbox_id: MailboxId) -> NotFound:
    return NotFound(f"there is no mailbox {mailbox_id}")
