"""What people said of their messages becomes what the models know: the account's own at once, the shared one when
others agree. What is taken back is unlearned exactly.

One trainer at a time, of all nodes: it holds a lease while it does this. What it learned of an account's lessons is
written in one transaction, so a crash leaves them all to be taught, or all taught.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from mailstack.model.errors import Damaged, DomainError
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import DAY_MS, Clock, Instant
from mailstack.model.message import RawMessage
from mailstack.model.principal import Role
from mailstack.model.spam_lesson import Lesson, Said, Settled, Taught, Vote
from mailstack.ports.accounts import Accounts
from mailstack.ports.locks import Lease
from mailstack.ports.messages import Messages
from mailstack.ports.spam_lessons import SpamLessons
from mailstack.ports.spam_tables import SpamTables
from mailstack.services.spam.agreement import is_agreed
from mailstack.services.spam.correspondents import Arrived
from mailstack.services.spam.experience import Experience
from mailstack.spam.features import Features, features_of
from mailstack.spam.fingerprint import bands_of
from mailstack.spam.judge import account_lesson
from mailstack.spam.model import ACCOUNT_BITS, Model, Update, empty
from mailstack.spam.packed import packed, unpacked

BATCH = 50
MOST_LESSONS = 200
"""Of one account in a day: what it says beyond that is passed over."""
MOST_VOTES = 50
"""Likewise, of those that count for the shared model."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """shared: as it is now. arrived_in: how a message came, as it lies in a mailbox."""

    lessons: SpamLessons
    tables: SpamTables
    messages: Messages
    accounts: Accounts
    shared: Callable[[], Model]
    experience: Experience
    arrived_in: Callable[[RawMessage], Arrived]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A lesson whose message is there. votes: on its bands so far."""

    lesson: Lesson
    arrived: Arrived
    features: Features
    bands: Sequence[int]
    votes: Sequence[Vote]


async def teach_some(training: Training, lease: Lease | None = None) -> int:
    """The oldest lessons that wait; returns how many were dealt with. lease: None where nobody else teaches. Raises
    DomainError: Conflict where the lease is another's by now, who teaches the rest."""
    waiting = await training.lessons.open(limit=BATCH)
    of_account: dict[AccountId, list[Lesson]] = {}
    for lesson in waiting:
        of_account.setdefault(lesson.account_id, []).append(lesson)
    for account_id, lessons in of_account.items():
        await _teach_account(training, account_id, lessons, lease)
    return len(waiting)


async def _teach_account(
    training: Training, account_id: AccountId, lessons: Sequence[Lesson], lease: Lease | None
) -> None:
    account = await training.accounts.account(account_id)
    known, votes = await training.lessons.taught_since(account_id, Instant(training.clock() - DAY_MS))
    too_many = [lesson for lesson in lessons if lesson.wanted][max(MOST_LESSONS - known, 0) :]
    reads = {} if account is None else await _read_all(training, [one for one in lessons if one not in too_many])
    pupil = _Pupil(
        account_id=account_id,
        model=await _model_of(training.tables, account_id),
        shared=training.shared(),
        is_admin=account is not None and Role.ADMIN in account.roles,
        votes_left=max(MOST_VOTES - votes, 0),
    )
    settled = await asyncio.to_thread(pupil.settled, lessons, reads)
    await training.lessons.settle(settled, lease=lease)
    for read in reads.values():
        _tell(training.experience, read)
    log.info(
        "learned of spam",
        account=account_id,
        ham=sum(one.said is Said.HAM for one in settled.taught),
        spam=sum(one.said is Said.SPAM for one in settled.taught),
        taken_back=sum(one.said is Said.NOTHING for one in settled.taught),
        passed_over=len(settled.passed_over),
        shared=len(settled.shared_updates),
    )


async def _read_all(training: Training, lessons: Sequence[Lesson]) -> Mapping[MessageId, _Read]:
    """Those whose messages are there, and can be read."""
    found = {}
    for lesson in lessons:
        try:
            raw = await training.messages.read(lesson.account_id, lesson.message_id)
        except DomainError as fault:
            log.info("not there to be learned", account=lesson.account_id, fault=repr(fault))
            continue
        try:
            arrived, features, bands = await asyncio.to_thread(_looked_at, raw, training.arrived_in)
        except Exception:  # a bug met in one message leaves those after it to be taught
            log.exception("cannot be learned", account=lesson.account_id, message=lesson.message_id)
            continue
        votes = await training.lessons.votes(bands) if bands else ()
        found[lesson.message_id] = _Read(lesson=lesson, arrived=arrived, features=features, bands=bands, votes=votes)
    return found


def _looked_at(raw: RawMessage, arrived_in: Callable[[RawMessage], Arrived]) -> tuple[Arrived, Features, Sequence[int]]:
    arrived = arrived_in(raw)
    features = features_of(raw, arrived.sent_by.sender)
    return arrived, features, bands_of(features.words)


def _tell(experience: Experience, read: _Read) -> None:
    """What is said of a message is said of its sender too."""
    lesson = read.lesson
    if lesson.taught:
        experience.unlearn(lesson.account_id, read.arrived, is_spam=lesson.taught is Said.SPAM)
    if lesson.wanted:
        experience.learn(lesson.account_id, read.arrived, is_spam=lesson.wanted is Said.SPAM)


async def _model_of(tables: SpamTables, account_id: AccountId) -> Model:
    try:
        table = await tables.of_account(account_id)
        return Model(bytearray(empty(ACCOUNT_BITS) if table is None else table))
    except Damaged as fault:  # of another version, perhaps: it learns anew
        log.warning("begins anew to learn of spam", account=account_id, fault=repr(fault))
        return Model(empty(ACCOUNT_BITS))


class _Pupil:
    """One account's model, while it is taught."""

    def __init__(self, *, account_id: AccountId, model: Model, shared: Model, is_admin: bool, votes_left: int) -> None:
        self._account_id = account_id
        self._model = model
        self._shared = shared
        self._is_admin = is_admin
        self._votes_left = votes_left
        self._shared_updates: list[bytes] = []
        self._is_changed = False
        self._said_now: list[tuple[Said, frozenset[int]]] = []

    def settled(self, lessons: Sequence[Lesson], reads: Mapping[MessageId, _Read]) -> Settled:
        """reads: of those that may be taught."""
        taught, passed_over = [], []
        for lesson in lessons:
            self._take_back(lesson)
            read = reads.get(lesson.message_id)
            if read is None or not lesson.wanted:
                taught.append(Taught(message_id=lesson.message_id, said=Said.NOTHING))
            else:
                taught.append(self._taught(read))
            if lesson.wanted and read is None:
                passed_over.append(lesson.message_id)
        return Settled(
            account_id=self._account_id,
            table=self._model.octets if self._is_changed else None,
            taught=taught,
            passed_over=passed_over,
            shared_updates=self._shared_updates,
        )

    def _take_back(self, lesson: Lesson) -> None:
        if (update := _inverse(lesson.update)) is not None:
            self._learn(update)
        if (update := _inverse(lesson.shared_update)) is not None:
            self._shared_updates.append(packed(update))

    def _learn(self, update: Update) -> None:
        self._model.learn(update)
        self._is_changed = True

    def _taught(self, read: _Read) -> Taught:
        lesson, is_spam = read.lesson, read.lesson.wanted is Said.SPAM
        update = account_lesson(read.features, self._model, self._shared, is_spam=is_spam)
        self._learn(update)
        is_vote = bool(read.bands) and self._votes_left > 0
        self._votes_left -= is_vote
        shared_update = b""
        if is_vote and is_agreed(lesson.wanted, self._votes_on(read), self._account_id, is_admin=self._is_admin):
            shared_update = packed(self._shared.lesson(read.features, is_spam=is_spam))
            self._shared_updates.append(shared_update)
        if is_vote:
            self._said_now.append((lesson.wanted, frozenset(read.bands)))
        return Taught(
            message_id=lesson.message_id,
            said=lesson.wanted,
            update=packed(update),
            shared_update=shared_update,
            bands=read.bands if is_vote else (),
        )

    def _votes_on(self, read: _Read) -> Sequence[Vote]:
        """With this account's own that are not written yet."""
        now = (
            Vote(account_id=self._account_id, said=said, bands=len(bands.intersection(read.bands)))
            for said, bands in self._said_now
        )
        return (*read.votes, *now)


def _inverse(octets: bytes) -> Update | None:
    """What takes it back; None where there is nothing, or nothing that still means anything."""
    if not octets:
        return None
    try:
        return unpacked(octets).inverse()
    except Damaged:
        return None
