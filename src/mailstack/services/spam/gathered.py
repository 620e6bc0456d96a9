"""What is remembered of senders, between mails and the store: noted at once, written some moments later, all together.

A mail waits for no write, and what was noted in the last moments before a crash is lost: no mail depends on it.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, SECOND_MS, Clock, Instant
from mailstack.model.reputation import NO_COUNTS, Counts, weight_at
from mailstack.ports.acquaintances import Acquaintances
from mailstack.ports.reputation import Reputation, SubjectVoice

MOST_NOTED = 20_000
"""What comes beyond, while the store cannot be written, is not noted."""
MOST_REMEMBERED = 20_000
FOUND_FOR_MS = 20 * SECOND_MS
"""A wave of mail comes from few: it need not ask the store each time."""
VOICE_MOST = 12.0
"""What one voice counts for, in mails: no account, and not the filter itself, makes a sender good or bad alone."""
MOST_ROWS = 500_000
ROWS_BETWEEN_BOUNDS = 20_000


class GatheredReputation:
    def __init__(self, reputation: Reputation, *, clock: Clock) -> None:
        self._reputation = reputation
        self._clock = clock
        self._said: dict[SubjectVoice, Counts] = {}
        self._found: OrderedDict[int, tuple[Counts, Instant]] = OrderedDict()
        self._rows_written = 0

    async def find(self, subjects: Sequence[int]) -> Mapping[int, Counts]:
        """In mails of now, as it was at most FOUND_FOR_MS ago. Raises TryAgainLater."""
        now = self._clock()
        unknown = [one for one in subjects if self._is_due(one, now)]
        # What is known now: others may crowd it out while this one asks.
        counts = {one: self._found[one][0] for one in subjects if one not in unknown}
        if unknown:
            weight = weight_at(now)
            found = await self._reputation.find(unknown, most=VOICE_MOST * weight)
            for subject in unknown:
                counts[subject] = found.get(subject, NO_COUNTS).times(1 / weight)
                self._found[subject] = (counts[subject], now)
                self._found.move_to_end(subject)
        while len(self._found) > MOST_REMEMBERED:
            self._found.popitem(last=False)
        return counts

    def last_found(self, subject: int) -> Counts:
        """As find gave it, if it is remembered."""
        return self._found.get(subject, (NO_COUNTS, 0))[0]

    def say(self, voice: int, subjects: Collection[int], counts: Counts, *, at: Instant) -> None:
        """counts: in mails of that moment; what lies ahead is taken for now."""
        weighed = counts.times(weight_at(min(at, self._clock())))
        for subject in subjects:
            key = (subject, voice)
            if key in self._said or len(self._said) < MOST_NOTED:
                self._said[key] = self._said.get(key, NO_COUNTS) + weighed

    async def flush(self) -> None:
        """Raises TryAgainLater; then nothing is lost."""
        if not self._said:
            return
        said, self._said = self._said, {}
        try:
            await self._reputation.add(said)
        except TryAgainLater:
            for key, counts in self._said.items():
                said[key] = said.get(key, NO_COUNTS) + counts
            self._said = said
            raise
        self._rows_written += len(said)
        if self._rows_written >= ROWS_BETWEEN_BOUNDS:
            self._rows_written = 0
            await self._reputation.bound(MOST_ROWS)

    def _is_due(self, subject: int, now: Instant) -> bool:
        known = self._found.get(subject)
        return known is None or not known[1] <= now < known[1] + FOUND_FOR_MS


class GatheredAcquaintances:
    def __init__(self, acquaintances: Acquaintances, *, clock: Clock) -> None:
        self._acquaintances = acquaintances
        self._clock = clock
        self._met: dict[Acquaintance, Instant] = {}
        self._parted: set[tuple[AccountId, int]] = set()
        self._written: OrderedDict[Acquaintance, Instant] = OrderedDict()

    async def find(self, account_id: AccountId, keys: Collection[int]) -> Collection[Acquaintance]:
        """Raises TryAgainLater."""
        return await self._acquaintances.find(account_id, keys, now=self._clock())

    def note(self, account_id: AccountId, tie: Tie, keys: Collection[int], *, lasts_ms: int) -> None:
        until = Instant(self._clock() + lasts_ms)
        for key in keys:
            one = Acquaintance(account_id, tie, key)
            # Written now and then is enough for what is kept for months.
            is_stale = self._written.get(one, until - DAY_MS) <= until - DAY_MS
            if is_stale and (one in self._met or len(self._met) < MOST_NOTED):
                self._met[one] = until

    def part(self, account_id: AccountId, key: int) -> None:
        for tie in Tie:
            one = Acquaintance(account_id, tie, key)
            self._met.pop(one, None)
            self._written.pop(one, None)
        if len(self._parted) < MOST_NOTED:
            self._parted.add((account_id, key))

    async def flush(self) -> None:
        """Raises TryAgainLater; then nothing is lost."""
        while self._parted:
            account_id, key = next(iter(self._parted))
            await self._acquaintances.part(account_id, key)
            self._parted.discard((account_id, key))
        if not self._met:
            return
        met, self._met = self._met, {}
        try:
            await self._acquaintances.note(met)
        except TryAgainLater:
            self._met = met | self._met
            raise
        self._written.update(met)
        while len(self._written) > MOST_REMEMBERED:
            self._written.popitem(last=False)
