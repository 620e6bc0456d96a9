"""Access lists in the owner's file, and the index of who shares with whom: ports.sharing in SQL.

Two files have no common transaction. The index is written first and never taken back by the one who changes a list, so
it names too much at worst; and what was noted within the last hour is not forgotten, for a list may be on its way.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.instant import SECOND_MS, Clock
from mailstack.model.rights import (
    NO_RIGHTS,
    Grant,
    Rights,
    RightsOperation,
    changed_rights,
    is_for_all,
    parse_rights,
    rights_text,
)
from mailstack.ports.bus import account_topic
from mailstack.store.sql.change_log import ACCESS
from mailstack.store.sql.counters import MAILBOX_EXISTS
from mailstack.store.sql.database import Database, Databases, Row, Transaction
from mailstack.store.sql.mailboxes import touch_mailbox

MAX_GRANTS = 500
"""For each mailbox: they are read at every command on another's mailbox."""
KEPT_MS = 3600 * SECOND_MS
FOR_ALL = ""

GRANTS = "SELECT identifier, account_id, rights FROM access WHERE /*of*/ mailbox_id = ? ORDER BY identifier"
ALL_GRANTS = "SELECT mailbox_id, identifier, account_id, rights FROM access /*whole*/ ORDER BY mailbox_id, identifier"
GRANT = "SELECT rights, account_id FROM access WHERE /*of*/ mailbox_id = ? AND identifier = ?"
COUNT = "SELECT COUNT(*) FROM access WHERE /*of*/ mailbox_id = ?"
SET = """INSERT INTO access (/*key*/ mailbox_id, identifier, account_id, rights) VALUES (/*value*/ ?, ?, ?, ?)
    ON CONFLICT (/*key*/ mailbox_id, identifier) DO UPDATE
    SET account_id = excluded.account_id, rights = excluded.rights"""
REMOVE = "DELETE FROM access WHERE /*of*/ mailbox_id = ? AND identifier = ?"
INHERIT = """INSERT INTO access (/*key*/ mailbox_id, identifier, account_id, rights)
    SELECT /*value*/ ?, identifier, account_id, rights FROM access WHERE /*of*/ mailbox_id = ?"""
NOTE = """INSERT INTO shared (account_id, owner_id, noted_at) VALUES (?, ?, ?)
    ON CONFLICT (account_id, owner_id) DO UPDATE SET noted_at = excluded.noted_at"""
OWNERS = "SELECT DISTINCT owner_id FROM shared WHERE account_id IN (?, '') AND owner_id <> ? ORDER BY owner_id"
OWNERS_OF_MANY = """SELECT account_id, owner_id FROM shared
    WHERE account_id = '' OR account_id IN (SELECT value FROM json_each(?) AS texts)"""
NAMED = "SELECT DISTINCT identifier, account_id FROM access /*whole*/"
NOTED = """SELECT account_id FROM shared
    WHERE owner_id = ? AND account_id IN (SELECT value FROM json_each(?) AS texts)"""
STALE = "SELECT 1 FROM shared WHERE account_id = ? AND owner_id = ? AND noted_at < ?"
FORGET = "DELETE FROM shared WHERE account_id = ? AND owner_id = ? AND noted_at < ?"
SUBSCRIPTIONS = "SELECT owner_id, mailbox_id FROM subscription /*whole*/"
SUBSCRIBE = "INSERT INTO subscription (/*key*/ owner_id, mailbox_id) VALUES (/*value*/ ?, ?) ON CONFLICT DO NOTHING"
UNSUBSCRIBE = "DELETE FROM subscription WHERE /*of*/ owner_id = ? AND mailbox_id = ?"


class SqlSharing:
    def __init__(self, system: Database, databases: Databases, *, clock: Clock) -> None:
        self._system = system
        self._databases = databases
        self._clock = clock

    async def grants(self, owner: AccountId, mailbox_id: MailboxId) -> Sequence[Grant]:
        database = await self._databases.get(owner)
        found = [_grant(*row) for row in await database.rows(GRANTS, (mailbox_id,))]
        if not found and await database.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
            raise NotFound(f"there is no mailbox {mailbox_id}")
        return found

    async def all_grants(self, owner: AccountId) -> Mapping[MailboxId, Sequence[Grant]]:
        rows: Sequence[Row] = await (await self._databases.get(owner)).rows(ALL_GRANTS)
        found: dict[MailboxId, list[Grant]] = {}
        for mailbox_id, *grant in rows:
            found.setdefault(MailboxId(mailbox_id), []).append(_grant(*grant))
        return found

    async def change(
        self,
        owner: AccountId,
        mailbox_id: MailboxId,
        grant: Grant,
        operation: RightsOperation = RightsOperation.SET,
    ) -> Rights:
        if operation is not RightsOperation.REMOVE:
            await self._note(owner, grant)
        now = self._clock()

        def work(transaction: Transaction) -> Rights:
            mailbox, granted = transaction.ask((MAILBOX_EXISTS, (mailbox_id,)), (GRANT, (mailbox_id, grant.identifier)))
            if not mailbox:
                raise NotFound(f"there is no mailbox {mailbox_id}")
            row = granted[0] if granted else None
            before = NO_RIGHTS if row is None else parse_rights(row[0])
            # What an account had whose login is another's by now is nothing to add to or to take from.
            is_same = row is not None and row[1] == (grant.account_id or "")
            rights = changed_rights(before if is_same else NO_RIGHTS, operation, grant.rights)
            if rights:
                transaction.run(SET, (mailbox_id, grant.identifier, grant.account_id or "", rights_text(rights)))
                if transaction.one(COUNT, (mailbox_id,))[0] > MAX_GRANTS:
                    raise TooMany(f"a mailbox is shared with at most {MAX_GRANTS}")
            else:
                transaction.run(REMOVE, (mailbox_id, grant.identifier))
            if rights != before or (rights and not is_same):
                touch_mailbox(transaction, mailbox_id, now, kind=ACCESS)
                transaction.announce(account_topic(owner))
            return rights

        return await (await self._databases.get(owner)).write(work)

    async def inherit(self, owner: AccountId, *, parent: MailboxId, child: MailboxId) -> None:
        now = self._clock()

        def work(transaction: Transaction) -> None:
            if transaction.run_counted(INHERIT, (child, parent)):
                touch_mailbox(transaction, child, now, kind=ACCESS)
                transaction.announce(account_topic(owner))

        await (await self._databases.get(owner)).write(work)

    async def owners(self, account_id: AccountId) -> Sequence[AccountId]:
        return [AccountId(owner) for (owner,) in await self._system.rows(OWNERS, (account_id, account_id))]

    async def owners_of_many(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, Sequence[AccountId]]:
        found: dict[str, set[str]] = {}
        for account_id, owner in await self._system.rows(OWNERS_OF_MANY, (json.dumps([*account_ids]),)):
            found.setdefault(account_id, set()).add(owner)
        for_all = found.get(FOR_ALL, set())
        return {
            each: [AccountId(owner) for owner in sorted((found.get(each, set()) | for_all) - {each})]
            for each in account_ids
        }

    async def forget(self, account_id: AccountId | None, owner: AccountId) -> None:
        values = (account_id or FOR_ALL, owner, self._clock() - KEPT_MS)
        if await self._system.row(STALE, values) is not None:
            await self._system.write(lambda transaction: transaction.run(FORGET, values))

    async def note_all(self, owner: AccountId) -> int:
        grants = await (await self._databases.get(owner)).rows(NAMED)
        named = {
            FOR_ALL if is_for_all(identifier) else account_id
            for identifier, account_id in grants
            if account_id or is_for_all(identifier)
        }
        noted = {one for (one,) in await self._system.rows(NOTED, (owner, json.dumps(sorted(named))))}
        missing = sorted(named - noted)
        if missing:
            rows = [(account_id, owner, self._clock()) for account_id in missing]
            await self._system.write(lambda transaction: transaction.run_many(NOTE, rows))
        return len(missing)

    async def subscriptions(self, account_id: AccountId) -> frozenset[tuple[AccountId, MailboxId]]:
        rows = await (await self._databases.get(account_id)).rows(SUBSCRIPTIONS)
        return frozenset((AccountId(owner), MailboxId(mailbox_id)) for owner, mailbox_id in rows)

    async def subscribe(
        self, account_id: AccountId, owner: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool
    ) -> ModSeq | None:
        statement = SUBSCRIBE if is_subscribed else UNSUBSCRIBE
        database = await self._databases.get(account_id)
        if not await database.write(lambda transaction: transaction.run_counted(statement, (owner, mailbox_id))):
            return None
        now = self._clock()

        def tell(transaction: Transaction) -> ModSeq | None:
            if transaction.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
                return None
            transaction.announce(account_topic(owner))
            return touch_mailbox(transaction, mailbox_id, now)

        try:
            return await (await self._databases.get(owner)).write(tell)
        except NotFound:
            # The owner is gone, and a subscription to nothing may stay or go.
            return None

    async def _note(self, owner: AccountId, grant: Grant) -> None:
        account_id = FOR_ALL if is_for_all(grant.identifier) else grant.account_id
        if account_id is None:
            return
        note = (account_id, owner, self._clock())
        await self._system.write(lambda transaction: transaction.run(NOTE, note))


def _grant(identifier: str, account_id: str, rights: str) -> Grant:
    return Grant(identifier=identifier, account_id=AccountId(account_id) or None, rights=parse_rights(rights))
