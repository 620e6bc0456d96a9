"""What people said of their messages: ports.spam_lessons in SQL."""

import json
from collections.abc import Sequence

from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import Clock, Instant
from mailstack.model.spam_lesson import Lesson, Said, Settled, Taught, Vote
from mailstack.ports.bus import LESSON_TOPIC, SPAM_TOPIC
from mailstack.ports.locks import Lease
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Database, Transaction
from mailstack.store.sql.locks import check_lease
from mailstack.store.sql.spam_tables import ADD_UPDATE, LAST_NUMBER, put_table

NOTE = """INSERT INTO spam_lesson
    (account_id, message_id, wanted, taught, noted_at, taught_at, is_vote, own_update, shared_update)
    VALUES (?, ?, ?, '', ?, 0, 0, ?, ?)
    ON CONFLICT (account_id, message_id) DO UPDATE SET wanted = excluded.wanted, noted_at = excluded.noted_at"""
NOTE_MOVE = f"""{NOTE.partition(" SET ")[0]} SET noted_at = excluded.noted_at,
    wanted = CASE WHEN spam_lesson.wanted IN ('', excluded.wanted) THEN excluded.wanted ELSE '' END"""
CONTRADICT = """UPDATE spam_lesson SET wanted = ?, noted_at = ?
    WHERE account_id = ? AND message_id = ? AND wanted NOT IN ('', ?)"""
OPEN = """SELECT account_id, message_id, wanted, taught, own_update, shared_update FROM spam_lesson
    WHERE wanted <> taught ORDER BY noted_at LIMIT ?"""
TAUGHT_SINCE = """SELECT COUNT(*), COALESCE(SUM(is_vote), 0) FROM spam_lesson WHERE account_id = ? AND taught_at > ?"""
VOTES = """SELECT account_id, said, COUNT(*) FROM spam_vote
    WHERE band IN (SELECT value FROM json_each(?) AS listed) GROUP BY account_id, said"""
SETTLE = """UPDATE spam_lesson SET taught = ?, taught_at = ?, is_vote = ?, own_update = ?, shared_update = ?
    WHERE account_id = ? AND message_id = ?"""
PASS_OVER = "UPDATE spam_lesson SET wanted = taught WHERE account_id = ? AND message_id = ?"
VOTE = """INSERT INTO spam_vote (band, account_id, said, message_id, voted_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (band, account_id) DO UPDATE SET said = excluded.said, message_id = excluded.message_id,
    voted_at = excluded.voted_at"""
TAKE_VOTE_BACK = "DELETE FROM spam_vote WHERE account_id = ? AND message_id = ?"
FORGET = "DELETE FROM spam_lesson WHERE noted_at < ?"
FORGET_VOTES = "DELETE FROM spam_vote WHERE voted_at < ?"
_NOTHING = b""


class SqlSpamLessons:
    def __init__(self, system: Database, *, clock: Clock) -> None:
        self._system = system
        self._clock = clock
        self._codec = Codec()

    async def note(
        self, account_id: AccountId, message_ids: Sequence[MessageId], said: Said, *, is_move: bool = False
    ) -> None:
        now = self._clock()
        rows = [(account_id, message_id, said, now, _NOTHING, _NOTHING) for message_id in sorted(message_ids)]

        def work(transaction: Transaction) -> None:
            transaction.run_many(NOTE_MOVE if is_move else NOTE, rows)
            transaction.announce(LESSON_TOPIC)

        await self._system.write(work)

    async def contradict(self, account_id: AccountId, message_ids: Sequence[MessageId], said: Said) -> None:
        now = self._clock()
        rows = [(said, now, account_id, message_id, said) for message_id in sorted(message_ids)]

        def work(transaction: Transaction) -> None:
            transaction.run_many(CONTRADICT, rows)
            transaction.announce(LESSON_TOPIC)

        await self._system.write(work)

    async def open(self, *, limit: int) -> Sequence[Lesson]:
        return [
            Lesson(
                account_id=AccountId(account_id),
                message_id=MessageId(message_id),
                wanted=Said(wanted),
                taught=Said(taught),
                update=bytes(update),
                shared_update=bytes(shared_update),
            )
            for account_id, message_id, wanted, taught, update, shared_update in await self._system.rows(OPEN, (limit,))
        ]

    async def taught_since(self, account_id: AccountId, since: Instant) -> tuple[int, int]:
        lessons, votes = await self._system.one(TAUGHT_SINCE, (account_id, since))
        return int(lessons), int(votes)

    async def votes(self, bands: Sequence[int]) -> Sequence[Vote]:
        rows = await self._system.rows(VOTES, (json.dumps(list(bands)),))
        return [
            Vote(account_id=AccountId(account_id), said=Said(said), bands=count) for account_id, said, count in rows
        ]

    async def settle(self, settled: Settled, *, lease: Lease | None = None) -> None:
        account_id, table, now = settled.account_id, settled.table, self._clock()
        frame = None if table is None else await self._system.in_thread(self._codec.compress, table)

        def work(transaction: Transaction) -> None:
            check_lease(transaction, lease)
            if frame is not None:
                put_table(transaction, account_id, frame)
            transaction.run_many(SETTLE, [_settled(account_id, one, now) for one in settled.taught])
            transaction.run_many(PASS_OVER, [(account_id, message_id) for message_id in settled.passed_over])
            transaction.run_many(TAKE_VOTE_BACK, [(account_id, one.message_id) for one in settled.taught])
            votes = [(band, account_id, one.said, one.message_id, now) for one in settled.taught for band in one.bands]
            transaction.run_many(VOTE, votes)
            if settled.shared_updates:
                (last,) = transaction.one(LAST_NUMBER)
                transaction.run_many(ADD_UPDATE, list(enumerate(settled.shared_updates, start=last + 1)))
            transaction.announce(SPAM_TOPIC)

        await self._system.write(work, is_long=True)

    async def forget(self, *, before: Instant, votes_before: Instant) -> int:
        def work(transaction: Transaction) -> int:
            transaction.run(FORGET_VOTES, (votes_before,))
            return transaction.run_counted(FORGET, (before,))

        return await self._system.write(work, is_long=True)


def _settled(account_id: AccountId, one: Taught, now: Instant) -> tuple[str | int | bytes, ...]:
    taught_at = now if one.said else 0
    return one.said, taught_at, int(bool(one.bands)), one.update, one.shared_update, account_id, one.message_id
