"""Applied resources, their secrets and the generation counter: ports.state in SQL.

The directory tables follow the resources in the same transaction (directory.py).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import Generation
from mailstack.model.instant import Clock, Instant
from mailstack.model.principal import Ability, Role
from mailstack.model.published import PublishedSet
from mailstack.model.resource import Kind, Operation, Resource, ResourceChange, Snapshot, Summary
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.store.sql.database import Connection, Database, Row, Transaction
from mailstack.store.sql.directory import Directory

LATEST = "SELECT number, spec_hash, applied_at FROM generation ORDER BY number DESC LIMIT 1"
RESOURCES = "SELECT name, fields, digests FROM resource WHERE kind = ? ORDER BY name"
RESOURCES_OF = """SELECT name, fields, digests FROM resource
    WHERE kind = ? AND name IN (SELECT value FROM json_each(?) AS texts)"""
PEOPLE = "SELECT login, name FROM account ORDER BY login"
COUNTS = "SELECT kind, COUNT(*) FROM resource GROUP BY kind"
# Lists of words, as JSON: whole words are between quotes.
ADMINISTRATOR = "SELECT login FROM account WHERE roles LIKE ? AND abilities LIKE ? ORDER BY login LIMIT 1"
# Whoever makes a generation writes this row first, so that they come one after the other.
TAKE_TURN = "UPDATE installation SET only_row = 1"
DIGESTS = "SELECT digests FROM resource WHERE kind = ? AND name = ?"
DIGESTS_OF = """SELECT name, digests FROM resource
    WHERE kind = ? AND name IN (SELECT value FROM json_each(?) AS texts)"""
SECRETS = "SELECT name, label, value FROM secret WHERE kind = ? ORDER BY name, label"
DIGEST_KEY = "SELECT digest_key FROM installation"
ADD_GENERATION = "INSERT INTO generation (number, spec_hash, applied_at) VALUES (?, ?, ?)"
RENAME = """INSERT INTO resource (kind, name, fields, digests)
    SELECT kind, ?, fields, digests FROM resource WHERE kind = ? AND name = ?"""
CREATE = "INSERT INTO resource (kind, name, fields, digests) VALUES (?, ?, ?, ?)"
UPDATE = "UPDATE resource SET fields = ?, digests = ? WHERE kind = ? AND name = ?"
DESTROY = "DELETE FROM resource WHERE kind = ? AND name = ?"
SET_SECRET = """INSERT INTO secret (kind, name, label, value) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, name, label) DO UPDATE SET value = excluded.value"""
RENAME_SECRETS = "UPDATE secret SET name = ? WHERE kind = ? AND name = ?"
USER_FIELDS = "SELECT kind, name, field, written_at FROM user_field"
USER_FIELDS_OF = """SELECT kind, name, field, written_at FROM user_field
    WHERE kind = ? AND name IN (SELECT value FROM json_each(?) AS texts)"""
USER_FIELD = "SELECT 1 FROM user_field WHERE kind = ? AND name = ? AND field = ?"
SET_USER_FIELD = """INSERT INTO user_field (kind, name, field, written_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, name, field) DO UPDATE SET written_at = excluded.written_at"""
RENAME_USER_FIELDS = "UPDATE user_field SET name = ? WHERE kind = ? AND name = ?"
DROP_USER_FIELD = "DELETE FROM user_field WHERE kind = ? AND name = ? AND field = ?"
PUBLISHED = "SELECT zone, name, type, ttl_s, record_values FROM published ORDER BY zone, name, type"
FORGET_PUBLISHED = "DELETE FROM published WHERE zone = ?"
ADD_PUBLISHED = "INSERT INTO published (zone, name, type, ttl_s, record_values) VALUES (?, ?, ?, ?, ?)"
DROP_SECRET = "DELETE FROM secret WHERE kind = ? AND name = ? AND label = ?"

_NO_USER_FIELDS: Mapping[str, Instant] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latest:
    number: Generation
    spec_hash: str
    applied_at: Instant | None


class SqlState:
    """discard: of store.sql.trash.Remains, for accounts that have left the directory. committed: told on
    the loop, before anybody can ask."""

    def __init__(
        self,
        system: Database,
        *,
        clock: Clock,
        token: Callable[[int], bytes],
        discard: Callable[[Transaction], None],
        committed: Callable[[], None],
    ) -> None:
        self._system = system
        self._clock = clock
        self._token = token
        self._discard = discard
        self._committed = committed

    async def snapshot(self, kinds: Collection[Kind] | None = None) -> Snapshot:
        wanted = tuple(Kind) if kinds is None else tuple(kinds)
        return await self._system.read_long(lambda connection: _snapshot(connection, wanted))

    async def resources(self, kind: Kind, names: Collection[str]) -> Mapping[str, Resource]:
        wanted = kind, orjson.dumps([*names]).decode()

        def look(connection: Connection) -> Mapping[str, Resource]:
            with connection.snapshot():
                rows = connection.rows(RESOURCES_OF, wanted)
                by_user = _by_user(connection.rows(USER_FIELDS_OF, wanted))
            return {row[0]: _resource(kind, row, by_user) for row in rows}

        return await self._system.read_long(look)

    async def people(self) -> Sequence[tuple[str, str]]:
        rows = await self._system.read_long(lambda connection: connection.rows(PEOPLE))
        return [(login, name) for login, name in rows]

    async def generation(self) -> Generation:
        return _latest(await self._system.row(LATEST)).number

    async def summary(self) -> Summary:
        return await self._system.read_long(_summary)

    async def administrator(self) -> str | None:
        words = (f'%"{Role.ADMIN}"%', f'%"{Ability.RECEIVE}"%')
        found = await self._system.read_long(lambda connection: connection.row(ADMINISTRATOR, words))
        return None if found is None else str(found[0])

    async def digest_key(self) -> bytes:
        return bytes((await self._system.one(DIGEST_KEY))[0])

    async def secrets(self, kind: Kind) -> Mapping[str, Mapping[str, str]]:
        return await self._system.read_long(lambda connection: _secrets(connection, kind))

    async def commit(self, changes: Sequence[ResourceChange], *, base: Generation, spec_hash: str) -> Generation:
        def work(transaction: Transaction) -> Generation:
            transaction.run(TAKE_TURN)
            latest = _latest(transaction.row(LATEST))
            if latest.number != base:
                raise Conflict(f"generation {latest.number} was applied meanwhile, this change builds on {base}")
            if not changes and spec_hash == latest.spec_hash:
                return base
            there = _digests(transaction, changes)
            for change in changes:
                _write(transaction, change, there)
            directory = Directory(transaction, now=self._clock(), token=self._token)
            directory.follow(changes)
            transaction.run(ADD_GENERATION, (base + 1, spec_hash, self._clock()))
            transaction.announce(GENERATION_TOPIC)
            self._discard(transaction)
            return Generation(base + 1)

        generation = await self._system.write(work, is_long=True)
        self._committed()
        return generation

    async def write_as_user(self, kind: Kind, name: str, secrets: Mapping[str, str]) -> Generation:
        def work(transaction: Transaction) -> Generation:
            transaction.run(TAKE_TURN)
            if transaction.row(DIGESTS, (kind, name)) is None:
                raise NotFound(f"there is no {kind} {name}")
            for label, value in secrets.items():
                transaction.run(SET_SECRET, (kind, name, label, value))
                transaction.run(SET_USER_FIELD, (kind, name, label, self._clock()))
            latest = _latest(transaction.row(LATEST))
            transaction.run(ADD_GENERATION, (latest.number + 1, latest.spec_hash, self._clock()))
            transaction.announce(GENERATION_TOPIC)
            return Generation(latest.number + 1)

        generation = await self._system.write(work)
        self._committed()
        return generation

    async def is_given(self, kind: Kind, name: str, secret: str) -> bool:
        def look(connection: Connection) -> bool:
            with connection.snapshot():
                row = connection.row(DIGESTS, (kind, name))
                given = row is not None and secret in orjson.loads(row[0])
                return given and connection.row(USER_FIELD, (kind, name, secret)) is None

        return await self._system.read_long(look)

    async def published(self) -> Mapping[str, Sequence[PublishedSet]]:
        return await self._system.read_long(_published)

    async def note_published(self, zone: str, sets: Sequence[PublishedSet]) -> None:
        rows = [(zone, one.name, one.type, one.ttl_s, orjson.dumps(sorted(one.values)).decode()) for one in sets]

        def work(transaction: Transaction) -> None:
            transaction.run(FORGET_PUBLISHED, (zone,))
            transaction.run_many(ADD_PUBLISHED, rows)

        await self._system.write(work)


def _snapshot(connection: Connection, kinds: Collection[Kind]) -> Snapshot:
    with connection.snapshot():
        latest = _latest(connection.row(LATEST))
        rows = [(kind, row) for kind in kinds for row in connection.rows(RESOURCES, (kind,))]
        by_user = _by_user(connection.rows(USER_FIELDS))
    resources = {(kind, row[0]): _resource(kind, row, by_user) for kind, row in rows}
    return Snapshot(
        generation=latest.number,
        spec_hash=latest.spec_hash,
        resources=resources,
        applied_at=latest.applied_at,
    )


_ByUser = Mapping[tuple[str, str], Mapping[str, Instant]]


def _by_user(rows: Sequence[Row]) -> _ByUser:
    found: dict[tuple[str, str], dict[str, Instant]] = {}
    for kind, name, field, written_at in rows:
        found.setdefault((kind, name), {})[field] = Instant(written_at)
    return found


def _resource(kind: Kind, row: Row, by_user: _ByUser) -> Resource:
    name, fields, digests = row
    return Resource(
        kind=kind,
        name=name,
        fields=orjson.loads(fields),
        digests=orjson.loads(digests),
        by_user=by_user.get((kind, name), _NO_USER_FIELDS),
    )


def _summary(connection: Connection) -> Summary:
    with connection.snapshot():
        latest = _latest(connection.row(LATEST))
        counted: dict[str, int] = dict(connection.rows(COUNTS))
    return Summary(
        generation=latest.number,
        spec_hash=latest.spec_hash,
        applied_at=latest.applied_at,
        counts={kind: counted[kind] for kind in Kind if kind in counted},
    )


def _secrets(connection: Connection, kind: Kind) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, label, value in connection.rows(SECRETS, (kind,)):
        found.setdefault(name, {})[label] = value
    return found


def _published(connection: Connection) -> dict[str, list[PublishedSet]]:
    found: dict[str, list[PublishedSet]] = {}
    for zone, name, record_type, ttl_s, values in connection.rows(PUBLISHED):
        one = PublishedSet(name=name, type=record_type, ttl_s=ttl_s, values=tuple(orjson.loads(values)))
        found.setdefault(zone, []).append(one)
    return found


def _latest(row: Row | None) -> _Latest:
    if row is None:
        return _Latest(number=Generation(0), spec_hash="", applied_at=None)
    number, spec_hash, applied_at = row
    return _Latest(number=Generation(number), spec_hash=spec_hash, applied_at=Instant(applied_at))


_There = dict[tuple[Kind, str], str]
"""Of resources that changes are about: their digests, as stored."""


def _digests(transaction: Transaction, changes: Sequence[ResourceChange]) -> _There:
    names: dict[Kind, list[str]] = {}
    for change in changes:
        named = (change.resource.name, change.moved_from)
        names.setdefault(change.resource.kind, []).extend(name for name in named if name)
    return {
        (kind, name): digests
        for kind, some in names.items()
        for name, digests in transaction.rows(DIGESTS_OF, (kind, orjson.dumps(some).decode()))
    }


def _write(transaction: Transaction, change: ResourceChange, there: _There) -> None:
    if change.operation is Operation.MOVE:
        _rename(transaction, change.resource, change.moved_from, there)
    resource = change.resource
    key = (resource.kind, resource.name)
    before = there.get(key)
    if (before is None) is not (change.operation is Operation.CREATE):
        raise Conflict(f"{resource.kind} {resource.name} {'is not there' if before is None else 'is there already'}")
    if change.operation is Operation.DESTROY:
        transaction.run(DESTROY, key)
        del there[key]
        return
    form = (orjson.dumps(dict(resource.fields)).decode(), orjson.dumps(dict(resource.digests)).decode())
    there[key] = form[1]
    if before is None:
        transaction.run(CREATE, (*key, *form))
    else:
        transaction.run(UPDATE, (*form, *key))
        for label in orjson.loads(before).keys() - resource.digests.keys():
            transaction.run(DROP_SECRET, (*key, label))
            transaction.run(DROP_USER_FIELD, (*key, label))
    for label, value in change.secrets.items():
        transaction.run(SET_SECRET, (*key, label, value))
        # The spec has the last word again.
        transaction.run(DROP_USER_FIELD, (*key, label))


def _rename(transaction: Transaction, resource: Resource, old: str, there: _There) -> None:
    """The old row under the new name, as it was."""
    kind, name = resource.kind, resource.name
    if (kind, old) not in there:
        raise Conflict(f"{kind} {old} is not there")
    if (kind, name) in there:
        raise Conflict(f"{kind} {name} is there already")
    there[kind, name] = there.pop((kind, old))
    transaction.run(RENAME, (name, kind, old))
    transaction.run(RENAME_SECRETS, (name, kind, old))
    transaction.run(RENAME_USER_FIELDS, (name, kind, old))
    transaction.run(DESTROY, (kind, old))
