"""The directory: ports.accounts in SQL. Reads of what state.py derives from the applied resources.

What was read is remembered for as long as the generation stays the same, for every RCPT asks. What another process
applied is seen within RECHECK_S, and a new name at once: of those, none that is missing is remembered. A domain that is
not ours is, for each of our mails asks for it three times, and a mail to thousands for each of them.
"""

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import TypeVar

import orjson

from mailstack.model.app_password import AppPassword
from mailstack.model.ids import AccountId
from mailstack.model.principal import Ability, Account, AliasTargets, Domain, Forward, MailingList, Role
from mailstack.model.resource import Kind, ListBody, Resource, ScriptBody, body_of, list_of
from mailstack.model.sending_limits import DEFAULT_LIMITS, SendingLimits
from mailstack.model.spam import SpamPolicy
from mailstack.store.sql.app_passwords import FIND_APP_PASSWORD, app_password_of
from mailstack.store.sql.database import Database, Row

Result = TypeVar("Result")

MAX_REMEMBERED = 4096
MAX_REMEMBERED_SCRIPTS = 4 << 20
"""Characters, of all scripts together."""
RECHECK_S = 0.05

GENERATION = "SELECT number FROM generation ORDER BY number DESC LIMIT 1"
DOMAIN = "SELECT name, catch_all, subaddress_separators, alias_of FROM domain WHERE name = ?"
COLUMNS = """a.account_id, a.login, a.name, a.addresses, a.roles, a.abilities, a.quota_bytes, a.forward, a.limits,
    a.spam,
    (SELECT s.value FROM secret s WHERE s.kind = 'account' AND s.name = a.login AND s.label = 'password')"""
BY_ADDRESS = f"SELECT {COLUMNS} FROM address d JOIN account a ON a.account_id = d.account_id WHERE d.address_key = ?"  # noqa: S608
BY_ID = f"SELECT {COLUMNS} FROM account a WHERE a.account_id = ?"  # noqa: S608
QUOTAS = "SELECT account_id, quota_bytes FROM account WHERE account_id IN (SELECT value FROM json_each(?) AS texts)"
OF_NAME = "SELECT 1 FROM account WHERE name = ? LIMIT 1"
ALIAS = "SELECT targets FROM alias WHERE address_key = ?"
# Lists and scripts are looked up by their own names and nothing else, so that their resources are table enough.
LIST = "SELECT fields FROM resource WHERE kind = 'list' AND name = ?"
SCRIPT = "SELECT fields FROM resource WHERE kind = 'script' AND name = ?"


class SqlAccounts:
    def __init__(self, system: Database) -> None:
        self._system = system
        self._known = _Known(generation=None)
        self._is_checked = False

    async def domain(self, name: str) -> Domain | None:
        known = (self._known if self._is_checked else await self._current()).domains
        if name not in known:
            row = await self._system.row(DOMAIN, (name,))
            _remember(known, name, None if row is None else _domain(row))
        return known[name]

    async def find(self, address_key: str) -> Account | AliasTargets | MailingList | None:
        known = (self._known if self._is_checked else await self._current()).owners
        owner = known.get(address_key)
        if owner is None:
            owner = await self._read_owner(address_key)
            # A name that nobody has is not remembered: strangers can think of any number of them.
            if owner is not None:
                _remember(known, address_key, owner)
        return owner

    async def account(self, account_id: AccountId) -> Account | None:
        row = await self._system.row(BY_ID, (account_id,))
        return None if row is None else _account(row)

    async def quotas(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, int | None]:
        rows = await self._system.rows(QUOTAS, (json.dumps([*account_ids]),))
        return {AccountId(account_id): quota_bytes for account_id, quota_bytes in rows}

    async def app_password(self, digest: bytes) -> AppPassword | None:
        row = await self._system.row(FIND_APP_PASSWORD, (digest,))
        return None if row is None else app_password_of(row)

    async def is_name_of_one(self, name: str) -> bool:
        return await self._system.row(OF_NAME, (name,)) is not None

    async def managed_script(self, login: str) -> str | None:
        known = self._known if self._is_checked else await self._current()
        if login not in known.scripts:
            row = await self._system.row(SCRIPT, (login,))
            known.remember_script(login, None if row is None else _script(login, row[0]))
        return known.scripts[login]

    def recheck(self) -> None:
        """Told by whoever applied something in this process, and on the bus."""
        self._is_checked = False

    async def _read_owner(self, address_key: str) -> Account | AliasTargets | MailingList | None:
        row = await self._system.row(BY_ADDRESS, (address_key,))
        if row is not None:
            return _account(row)
        alias = await self._system.row(ALIAS, (address_key,))
        if alias is not None:
            return AliasTargets(targets=tuple(orjson.loads(alias[0])))
        found = await self._system.row(LIST, (address_key,))
        return None if found is None else _mailing_list(address_key, found[0])

    async def _current(self) -> "_Known":
        generation = await self._system.row(GENERATION)
        if generation != self._known.generation:
            self._known = _Known(generation=generation)
        self._is_checked = True
        asyncio.get_running_loop().call_later(RECHECK_S, self.recheck)
        return self._known


class _Known:
    """What one generation says."""

    def __init__(self, *, generation: Row | None) -> None:
        self.generation = generation
        self.domains: dict[str, Domain | None] = {}
        self.owners: dict[str, Account | AliasTargets | MailingList] = {}
        self.scripts: dict[str, str | None] = {}
        self._script_characters = 0

    def remember_script(self, login: str, content: str | None) -> None:
        size = len(content or "")
        if self._script_characters + size > MAX_REMEMBERED_SCRIPTS or len(self.scripts) >= MAX_REMEMBERED:
            self.scripts.clear()
            self._script_characters = 0
        self.scripts[login] = content
        self._script_characters += size


def _remember(known: dict[str, Result], name: str, found: Result) -> None:
    if len(known) >= MAX_REMEMBERED:
        known.clear()
    known[name] = found


def _domain(row: Row) -> Domain:
    name, catch_all, subaddress_separators, alias_of = row
    return Domain(name=name, catch_all=catch_all, subaddress_separators=subaddress_separators, alias_of=alias_of)


def _mailing_list(address: str, fields: str) -> MailingList:
    return list_of(address, body_of(ListBody, Resource(kind=Kind.LIST, name=address, fields=orjson.loads(fields))))


def _script(login: str, fields: str) -> str:
    return body_of(ScriptBody, Resource(kind=Kind.SCRIPT, name=login, fields=orjson.loads(fields))).content


def _account(row: Row) -> Account:
    account_id, login, name, addresses, roles, abilities, quota_bytes, forward, limits, spam, password_hash = row
    return Account(
        account_id=AccountId(account_id),
        login=login,
        name=name,
        addresses=tuple(orjson.loads(addresses)),
        roles=frozenset(map(Role, orjson.loads(roles))),
        abilities=frozenset(map(Ability, orjson.loads(abilities))),
        quota_bytes=quota_bytes,
        password_hash=password_hash or "",
        forward=_forward(forward) if forward else None,
        limits=SendingLimits(**orjson.loads(limits)) if limits else DEFAULT_LIMITS,
        spam=_spam_policy(spam) if spam else None,
    )


def _spam_policy(text: str) -> SpamPolicy:
    said = orjson.loads(text)
    return SpamPolicy(**{**said, "allow": tuple(said["allow"]), "block": tuple(said["block"])})


def _forward(text: str) -> Forward:
    targets, keep = orjson.loads(text)
    return Forward(targets=tuple(targets), keep=keep)
