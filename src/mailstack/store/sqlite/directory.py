"""The tables that receiving and logging in read, kept in step with the applied resources inside apply's transaction.

An account that leaves the directory keeps its folder, which goes to the trash: mail is never deleted here.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog

from mailstack.model.errors import AlreadyExists, Conflict, DomainError
from mailstack.model.ids import AccountId
from mailstack.model.instant import SECOND_MS, Instant
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
from mailstack.store.sqlite.blobs import make_folder, sync_folder
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.writer import Transaction

ACCOUNT_ID = "SELECT account_id FROM account WHERE login = ?"
ADD_ACCOUNT = """INSERT INTO account (account_id, login, name, addresses, roles, abilities, quota_bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
CHANGE_ACCOUNT = """UPDATE account SET name = ?, addresses = ?, roles = ?, abilities = ?, quota_bytes = ?
    WHERE account_id = ?"""
RENAME_ACCOUNT = "UPDATE account SET login = ? WHERE account_id = ?"
DROP_ACCOUNT = "DELETE FROM account WHERE account_id = ?"
ADD_ADDRESS = "INSERT INTO address (address_key, account_id) VALUES (?, ?)"
DROP_ADDRESSES = "DELETE FROM address WHERE account_id = ?"
SET_ALIAS = "INSERT INTO alias (address_key, targets) VALUES (?, ?)"
DROP_ALIAS = "DELETE FROM alias WHERE address_key = ?"
SET_DOMAIN = "INSERT INTO domain (name, catch_all, subaddress_separators, alias_of) VALUES (?, ?, ?, ?)"
DROP_DOMAIN = "DELETE FROM domain WHERE name = ?"
ADD_TRASH = "INSERT INTO trash (account_id, login, destroyed_at) VALUES (?, ?, ?)"
TRASH = "SELECT account_id, login, destroyed_at FROM trash"
CLOSE = "UPDATE counter SET is_closed = 1"

NOTE = "destroyed.json"

log = structlog.get_logger()


class Directory:
    def __init__(self, transaction: Transaction, *, now: Instant, token: Callable[[int], bytes]) -> None:
        self._transaction = transaction
        self._now = now
        self._token = token

    def follow(self, changes: Sequence[ResourceChange]) -> None:
        """First all that goes, then all that comes: an address may pass from one account to another."""
        for change in changes:
            if change.operation is not Operation.CREATE:
                self._drop(change)
        for change in changes:
            if change.operation is not Operation.DESTROY:
                self._add(change.resource)

    def _drop(self, change: ResourceChange) -> None:
        name = change.resource.name
        match change.resource.kind:
            case Kind.ACCOUNT:
                (account_id,) = self._transaction.one(ACCOUNT_ID, (change.moved_from or name,))
                self._transaction.run(DROP_ADDRESSES, (account_id,))
                if change.operation is Operation.MOVE:
                    self._transaction.run(RENAME_ACCOUNT, (name, account_id))
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
        columns = (body.name, _json(body.addresses), _json(body.roles), _json(body.abilities), body.quota_bytes)
        known = self._transaction.row(ACCOUNT_ID, (login,))
        if known is None:
            account_id = self._token(8).hex()
            self._transaction.run(ADD_ACCOUNT, (account_id, login, *columns))
        else:
            account_id = known[0]
            self._transaction.run(CHANGE_ACCOUNT, (*columns, account_id))
        for address in (login, *body.addresses):
            try:
                self._transaction.run(ADD_ADDRESS, (address, account_id))
            except AlreadyExists:
                raise Conflict(f"{address} belongs to another account") from None


def move_to_trash(path: Path, system: Connection) -> None:
    """Folders of accounts that are gone, into path/trash, with a note of whose they were. May be repeated."""
    for account_id, login, destroyed_at in system.rows(TRASH):
        folder = account_folder(path, AccountId(account_id))
        if not folder.exists():
            continue
        note = {"account": login, "destroyed_at": datetime.fromtimestamp(destroyed_at / SECOND_MS, UTC)}
        try:
            _close(folder / "mail.db")
            (folder / NOTE).write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
            _rename(folder, path / "trash")
        except FileNotFoundError:
            continue  # another process was faster
        except (DomainError, OSError) as fault:
            # Nobody finds the account any more; the next start tries again.
            log.warning("account not moved to the trash", account=login, path=str(folder), error=repr(fault))


def _close(file: Path) -> None:
    """Other processes may have it open for long yet: from here on they are refused by the file itself."""
    if not file.exists():
        return
    connection = Connection(file, Access.WRITE)
    try:
        connection.run(CLOSE)
    finally:
        connection.close()


def _rename(folder: Path, trash: Path) -> None:
    make_folder(trash)
    names = (folder.name, *(f"{folder.name}.{number}" for number in range(2, 100)))
    folder.rename(next(trash / name for name in names if not (trash / name).exists()))
    sync_folder(trash)
    sync_folder(folder.parent)


def _json(words: Sequence[str]) -> str:
    return orjson.dumps(list(words)).decode()
