"""The tables that receiving and logging in read, kept in step with the applied resources inside apply's transaction.

An account that leaves the directory goes to the trash: mail is never deleted here.
"""

from collections.abc import Callable, Sequence

import orjson

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.object_journal import ObjectKind
from mailstack.model.resource import (
    AccountBody,
    AliasBody,
    DomainBody,
    Kind,
    Operation,
    Resource,
    ResourceChange,
    body_of,
)
from mailstack.store.sql.database import Row, Transaction
from mailstack.store.sql.object_journal import begin_anew
from mailstack.store.sql.sending_identities import OWNERS

# Locked, where engines do that: the first use of an account waits until it is decided whose id it is.
ACCOUNT_ID = "SELECT account_id FROM account WHERE login = ? /*+ FOR UPDATE*/"
ACCOUNTS = """SELECT login, account_id, name, addresses, abilities FROM account
    WHERE login IN (SELECT value FROM json_each(?) AS texts)"""
SCRIPTED = "SELECT account_id FROM account WHERE login IN (SELECT value FROM json_each(?) AS texts) ORDER BY account_id"
ADD_ACCOUNT = """INSERT INTO account (account_id, login, name, addresses, roles, abilities, quota_bytes, forward,
    limits, spam) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
CHANGE_ACCOUNT = """UPDATE account SET name = ?, addresses = ?, roles = ?, abilities = ?, quota_bytes = ?, forward = ?,
    limits = ?, spam = ? WHERE account_id = ?"""
RENAME_ACCOUNT = "UPDATE account SET login = ? WHERE account_id = ?"
# Who has left a list has left it by the new name too.
KEEP_UNSUBSCRIBED = """INSERT INTO unsubscribed (list_address, member, since)
    SELECT list_address, ?, since FROM unsubscribed WHERE member = ? ON CONFLICT DO NOTHING"""
FORGET_UNSUBSCRIBED = "DELETE FROM unsubscribed WHERE member = ?"
DROP_ACCOUNT = "DELETE FROM account WHERE account_id = ?"
ADD_ADDRESS = "INSERT INTO address (address_key, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
HAVE_ADDRESSES = """SELECT address_key, account_id FROM address
    WHERE address_key IN (SELECT value FROM json_each(?) AS texts)"""
DROP_ADDRESSES = "DELETE FROM address WHERE account_id = ?"
SET_ALIAS = "INSERT INTO alias (address_key, targets) VALUES (?, ?)"
DROP_ALIAS = "DELETE FROM alias WHERE address_key = ?"
SET_DOMAIN = "INSERT INTO domain (name, catch_all, subaddress_separators, alias_of) VALUES (?, ?, ?, ?)"
DROP_DOMAIN = "DELETE FROM domain WHERE name = ?"
ADD_TRASH = "INSERT INTO trash (account_id, login, destroyed_at) VALUES (?, ?, ?)"


class Directory:
    """Of one transaction. It asks four times at most, however much changes."""

    def __init__(self, transaction: Transaction, *, now: Instant, token: Callable[[int], bytes]) -> None:
        self._transaction = transaction
        self._now = now
        self._token = token
        self._account_ids: dict[str, str] = {}
        self._senders: dict[str, Row] = {}
        self._begins_anew: set[str] = set()
        self._addresses: dict[str, str] = {}

    def follow(self, changes: Sequence[ResourceChange]) -> None:
        """First all that goes, then all that comes: an address may pass from one account to another."""
        self._look_up(changes)
        for change in changes:
            if change.operation is not Operation.CREATE:
                self._drop(change)
        for change in changes:
            if change.operation is not Operation.DESTROY:
                self._add(change.resource)
        self._refuse_others_addresses()
        if any(change.resource.kind is Kind.DOMAIN for change in changes):
            # Where others' addresses are subaddresses from now on, or are no more.
            self._begins_anew.update(account_id for (account_id,) in self._transaction.rows(OWNERS))
        begin_anew(self._transaction, [*map(AccountId, sorted(self._begins_anew))], ObjectKind.IDENTITY)
        logins = [change.resource.name for change in changes if change.resource.kind is Kind.SCRIPT]
        if logins:
            scripted = [AccountId(row[0]) for row in self._transaction.rows(SCRIPTED, (_json(logins),))]
            begin_anew(self._transaction, scripted, ObjectKind.SCRIPT)

    def _look_up(self, changes: Sequence[ResourceChange]) -> None:
        accounts = [change for change in changes if change.resource.kind is Kind.ACCOUNT]
        logins = [change.moved_from or change.resource.name for change in accounts]
        if logins:
            for login, account_id, *sender in self._transaction.rows(ACCOUNTS, (_json(logins),)):
                self._account_ids[login] = account_id
                self._senders[account_id] = (login, *sender)

    def _drop(self, change: ResourceChange) -> None:
        name = change.resource.name
        match change.resource.kind:
            case Kind.ACCOUNT:
                account_id = self._account_ids.pop(change.moved_from or name)
                self._transaction.run(DROP_ADDRESSES, (account_id,))
                if change.operation is Operation.MOVE:
                    self._transaction.run(RENAME_ACCOUNT, (name, account_id))
                    self._transaction.run(KEEP_UNSUBSCRIBED, (name, change.moved_from))
                    self._transaction.run(FORGET_UNSUBSCRIBED, (change.moved_from,))
                if change.operation is not Operation.DESTROY:
                    self._account_ids[name] = account_id
                if change.operation is Operation.DESTROY:
                    self._transaction.run(ADD_TRASH, (account_id, name, self._now))
                    self._transaction.run(DROP_ACCOUNT, (account_id,))
            case Kind.ALIAS:
                self._transaction.run(DROP_ALIAS, (name,))
            case Kind.DOMAIN:
                self._transaction.run(DROP_DOMAIN, (name,))
            case _:
                pass

    def _add(self, resource: Resource) -> None:
        match resource.kind:
            case Kind.ACCOUNT:
                self._add_account(resource.name, body_of(AccountBody, resource))
            case Kind.ALIAS:
                targets = list(body_of(AliasBody, resource).targets)
                self._transaction.run(SET_ALIAS, (resource.name, _json(targets)))
            case Kind.DOMAIN:
                domain = body_of(DomainBody, resource)
                row = (resource.name, domain.catch_all, domain.subaddress_separators, domain.alias_of)
                self._transaction.run(SET_DOMAIN, row)
            case _:
                pass

    def _add_account(self, login: str, body: AccountBody) -> None:
        columns = (
            body.name,
            _json(body.addresses),
            _json(body.roles),
            _json(body.abilities),
            body.quota_bytes,
            orjson.dumps([body.forward.targets, body.forward.keep]).decode() if body.forward else None,
            orjson.dumps(body.limits).decode() if body.limits else None,
            orjson.dumps(body.spam).decode() if body.spam else None,
        )
        account_id = self._account_ids.get(login)
        if account_id is None:
            account_id = self._token(8).hex()
            self._transaction.run(ADD_ACCOUNT, (account_id, login, *columns))
        else:
            self._transaction.run(CHANGE_ACCOUNT, (*columns, account_id))
            name, addresses, _, abilities, *_ = columns
            if self._senders[account_id] != (login, name, addresses, abilities):
                self._begins_anew.add(account_id)
        for address in (login, *body.addresses):
            if self._addresses.setdefault(address, account_id) != account_id:
                raise Conflict(f"{address} belongs to another account")
            self._transaction.run(ADD_ADDRESS, (address, account_id))

    def _refuse_others_addresses(self) -> None:
        if not self._addresses:
            return
        for address, account_id in self._transaction.rows(HAVE_ADDRESSES, (_json([*self._addresses]),)):
            if self._addresses[address] != account_id:
                raise Conflict(f"{address} belongs to another account")


def _json(words: Sequence[str]) -> str:
    return orjson.dumps(list(words)).decode()
