"""Where programs want to be told of changes: ports.push_subscriptions in SQL."""

from collections.abc import Mapping, Sequence
from functools import partial

import orjson

from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import Instant
from mailstack.model.push import (
    UNTOLD,
    PushChange,
    PushHead,
    PushKeys,
    PushProgress,
    PushStage,
    PushSubscription,
)
from mailstack.model.states import AccountStates, StateType
from mailstack.ports.bus import PUSH_TOPIC
from mailstack.store.sql.database import Database, Row, Transaction

# Writers of one account come one after the other.
OWNER = "SELECT 1 FROM account WHERE account_id = ? /*+ FOR NO KEY UPDATE*/"
COLUMNS = """push_id, account_id, credential, device_client_id, url, p256dh, auth, code, stage, types, expires_at,
    made_at, pushed, failures, next_at"""
COUNT = "SELECT COUNT(*) FROM push_subscription WHERE account_id = ? AND expires_at > ?"
ADD = f"INSERT INTO push_subscription ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  a constant
OF_ACCOUNT = f"""SELECT {COLUMNS} FROM push_subscription WHERE account_id = ? AND expires_at > ?
    ORDER BY made_at, push_id"""  # noqa: S608  a constant
CHANGE = """UPDATE push_subscription SET stage = CASE WHEN ? = 1 THEN 'verified' ELSE stage END, types = ?,
    expires_at = ? WHERE account_id = ? AND push_id = ? AND credential = ?"""
REMOVE = "DELETE FROM push_subscription WHERE account_id = ? AND push_id = ? AND credential = ?"
ANY = "SELECT 1 FROM push_subscription WHERE expires_at > ? LIMIT 1"
HEADS = """SELECT push_id, account_id, stage, types, expires_at FROM push_subscription WHERE expires_at > ?
    ORDER BY expires_at"""
NOTE = """UPDATE push_subscription SET stage = CASE WHEN stage = 'new' THEN ? ELSE stage END, pushed = ?, failures = ?,
    next_at = ? WHERE push_id = ?"""
DROP = "DELETE FROM push_subscription WHERE push_id = ?"
FORGET_SOME = """DELETE FROM push_subscription WHERE push_id IN (
    SELECT push_id FROM push_subscription WHERE expires_at <= ? LIMIT ?)"""
FORGET_PUSHES = "DELETE FROM push_subscription WHERE account_id = ?"
FORGOTTEN_AT_ONCE = 1_000


class SqlPushSubscriptions:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def add(self, subscription: PushSubscription, *, now: Instant, at_most: int) -> None:
        row = _row_of(subscription, now)

        def work(transaction: Transaction) -> None:
            if transaction.row(OWNER, (subscription.account_id,)) is None:
                raise NotFound(f"there is no account {subscription.account_id}")
            if transaction.one(COUNT, (subscription.account_id, now))[0] >= at_most:
                raise TooMany(f"an account has at most {at_most} push subscriptions")
            transaction.run(ADD, row)
            transaction.announce(PUSH_TOPIC)

        await self._system.write(work)

    async def of_credential(
        self, account_id: AccountId, credential: str, *, now: Instant
    ) -> Sequence[PushSubscription]:
        found = await self.of_account(account_id, now=now)
        return [subscription for subscription, _ in found if subscription.credential == credential]

    async def change(self, account_id: AccountId, credential: str, push_id: PushId, change: PushChange) -> None:
        values = (int(change.is_verified), _types_text(change.types), change.expires_at)

        def work(transaction: Transaction) -> None:
            if not transaction.run_counted(CHANGE, (*values, account_id, push_id, credential)):
                raise _missing(push_id)
            transaction.announce(PUSH_TOPIC)

        await self._system.write(work)

    async def remove(self, account_id: AccountId, credential: str, push_id: PushId) -> None:
        def work(transaction: Transaction) -> None:
            if not transaction.run_counted(REMOVE, (account_id, push_id, credential)):
                raise _missing(push_id)
            transaction.announce(PUSH_TOPIC)

        await self._system.write(work)

    async def has_any(self, *, now: Instant) -> bool:
        return await self._system.row(ANY, (now,)) is not None

    async def heads(self, *, now: Instant) -> Sequence[PushHead]:
        rows = await self._system.read_long(lambda connection: connection.rows(HEADS, (now,)))
        return [
            PushHead(
                push_id=PushId(push_id),
                account_id=AccountId(account_id),
                stage=PushStage(stage),
                types=_types(types),
                expires_at=Instant(expires_at),
            )
            for push_id, account_id, stage, types, expires_at in rows
        ]

    async def of_account(
        self, account_id: AccountId, *, now: Instant
    ) -> Sequence[tuple[PushSubscription, PushProgress]]:
        return [_of_row(row) for row in await self._system.rows(OF_ACCOUNT, (account_id, now))]

    async def note(self, notes: Mapping[PushId, tuple[PushStage, PushProgress]]) -> None:
        # Sorted: writers who take rows in one order do not wait for each other in a circle.
        rows = [
            (stage.value, _states_text(progress.pushed), progress.failures, progress.next_at, push_id)
            for push_id, (stage, progress) in sorted(notes.items())
        ]
        await self._system.write(lambda transaction: transaction.run_many(NOTE, rows))

    async def drop(self, push_ids: Sequence[PushId]) -> None:
        rows = [(push_id,) for push_id in sorted(push_ids)]
        await self._system.write(lambda transaction: transaction.run_many(DROP, rows))

    async def forget(self, *, now: Instant) -> int:
        forgotten = 0
        while True:
            count = await self._system.write(partial(_forget_some, now), is_long=True)
            forgotten += count
            if count < FORGOTTEN_AT_ONCE:
                return forgotten


def _forget_some(now: Instant, transaction: Transaction) -> int:
    return transaction.run_counted(FORGET_SOME, (now, FORGOTTEN_AT_ONCE))


def _row_of(subscription: PushSubscription, now: Instant) -> tuple[str | bytes | int | None, ...]:
    keys = subscription.keys
    return (
        subscription.push_id,
        subscription.account_id,
        subscription.credential,
        subscription.device_client_id,
        subscription.url,
        None if keys is None else keys.p256dh,
        None if keys is None else keys.auth,
        subscription.code,
        subscription.stage.value,
        _types_text(subscription.types),
        subscription.expires_at,
        now,
        _states_text(UNTOLD.pushed),
        UNTOLD.failures,
        UNTOLD.next_at,
    )


def _of_row(row: Row) -> tuple[PushSubscription, PushProgress]:
    push_id, account_id, credential, device_client_id, url, p256dh, auth, code, stage, types, expires_at, *progress = (
        row
    )
    _, pushed, failures, next_at = progress
    return PushSubscription(
        push_id=PushId(push_id),
        account_id=AccountId(account_id),
        credential=credential,
        device_client_id=device_client_id,
        url=url,
        keys=None if p256dh is None else PushKeys(p256dh=bytes(p256dh), auth=bytes(auth)),
        code=code,
        stage=PushStage(stage),
        types=_types(types),
        expires_at=Instant(expires_at),
    ), PushProgress(pushed=_states(pushed), failures=failures, next_at=Instant(next_at))


def _types_text(types: Sequence[str] | None) -> str | None:
    return None if types is None else orjson.dumps(types).decode()


def _types(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(orjson.loads(text))


def _states_text(states: AccountStates) -> str:
    found = {account_id: {type_.value: state for type_, state in each.items()} for account_id, each in states.items()}
    return orjson.dumps(found).decode()


def _states(text: str) -> AccountStates:
    # A type of a later version is none here.
    return {
        AccountId(account_id): {type_: found[type_] for type_ in StateType if type_ in found}
        for account_id, found in orjson.loads(text).items()
    }


def _missing(push_id: PushId) -> NotFound:
    return NotFound(f"there is no push subscription {push_id}")
