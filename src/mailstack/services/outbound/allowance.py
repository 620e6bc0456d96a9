"""How much an account may submit just now: a brake on whoever has stolen its password. RFC 6409 §6.2.

Counted for all workers and nodes together. What is under way in another worker at the same moment is not known here:
so much may go beyond a limit, once.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId
from mailstack.model.instant import SECOND_MS, Clock, Instant, iso
from mailstack.model.principal import Account
from mailstack.model.sending_limits import ANY, SPAN_MS, Bound, Room, Span, counts_since, room_of, span_of
from mailstack.ports.submitted import Submitted
from mailstack.services.inbound.mail import Defer, Reason

Done = TypeVar("Done")
Value = TypeVar("Value")

ACCOUNTS_REMEMBERED = 10_000
HEARSAY_MS = 10 * SECOND_MS
FAR = 100
"""Recipients: RFC 5321 §4.5.3.1.8 has every server take so many in one message."""

log = structlog.get_logger()


class Allowance:
    """One for each generation."""

    def __init__(self, submitted: Submitted, *, clock: Clock) -> None:
        self._submitted = submitted
        self._clock = clock
        self._under_way: Counter[AccountId] = Counter()
        self._told: dict[AccountId, Instant] = {}
        self._past: dict[AccountId, Sequence[Span]] = {}
        self._past_until = Instant(0)
        self._far: dict[AccountId, _Found] = {}

    async def room(self, account: Account) -> Room:
        """As it is now: whoever takes a message asks."""
        if account.limits.are_none:
            return ANY
        now = self._clock()
        room = room_of(account.limits, await self._spans(account.account_id, now), now=now)
        under_way = self._under_way.get(account.account_id)
        if under_way and room.recipients is not None:
            room = replace(room, recipients=max(0, room.recipients - under_way))
        self._note(account, room, now)
        return room

    async def room_ahead(self, account: Account) -> Room:
        """For replies before there is a message: as it was a moment ago, where that was far from any limit."""
        found = self._far.get(account.account_id)
        if found is not None and 0 <= self._clock() - found.at < HEARSAY_MS:
            return found.room
        return await self.room(account)

    def why_not(self, account: Account, room: Room, recipients: int) -> Defer | None:
        """To a message for so many."""
        if room.bound is None or room.has(recipients):
            return None
        self._tell(account, room.bound)
        told = f"{room.bound}; more from {iso(room.bound.free_at)} on"
        return Defer(reason=Reason.SENDING_LIMIT, detail=account.login, told=told)

    async def counted(self, account: Account, recipients: int, work: Awaitable[Done]) -> Done:
        """work: what takes a message for so many. The two are written together, so that neither waits for the other's
        disk; of a mail that fails its try counts. Raises what work does."""
        self._under_way[account.account_id] += recipients
        try:
            done, _ = await asyncio.gather(work, self._count(account, recipients), return_exceptions=True)
        finally:
            self._under_way[account.account_id] -= recipients
            if not self._under_way[account.account_id]:
                del self._under_way[account.account_id]
        if isinstance(done, BaseException):
            raise done
        return done

    def _note(self, account: Account, room: Room, now: Instant) -> None:
        if room.recipients is None or room.recipients < FAR or account.limits.bound_messages:
            self._far.pop(account.account_id, None)
        else:
            _remember(self._far, account.account_id, _Found(room=room, at=now))

    async def _spans(self, account_id: AccountId, now: Instant) -> Sequence[Span]:
        """All that count. Only the last two are asked for again: nobody adds to those before."""
        until = Instant(span_of(now) - SPAN_MS)
        if until != self._past_until:
            self._past.clear()
            self._past_until = until
        past = self._past.get(account_id)
        if past is not None:
            return [*past, *await self._submitted.spans(account_id, since=until)]
        spans = await self._submitted.spans(account_id, since=counts_since(now))
        if until == self._past_until:  # else what ended meanwhile would be missing
            _remember(self._past, account_id, [span for span in spans if span.began_at < until])
        return spans

    async def _count(self, account: Account, recipients: int) -> None:
        try:
            await self._submitted.add(account.account_id, began_at=span_of(self._clock()), recipients=recipients)
        except DomainError as fault:  # no reason to keep a mail back
            log.warning("not counted", account=account.login, recipients=recipients, fault=repr(fault))
        except Exception:  # `counted` passes over what is raised here, and a bug is to be seen
            log.exception("not counted", account=account.login, recipients=recipients)

    def _tell(self, account: Account, bound: Bound) -> None:
        """Once, until there is room again."""
        if self._told.get(account.account_id, Instant(0)) >= bound.free_at:
            return
        _remember(self._told, account.account_id, bound.free_at)
        log.warning("sending limit reached", account=account.login, limit=str(bound), until=iso(bound.free_at))


@dataclass(frozen=True, slots=True)
class _Found:
    room: Room
    at: Instant


def _remember(known: dict[AccountId, Value], account_id: AccountId, value: Value) -> None:
    if len(known) >= ACCOUNTS_REMEMBERED:
        known.clear()
    known[account_id] = value
