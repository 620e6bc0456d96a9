"""The life of a DKIM key: published, signing once its record is seen, retired, gone. Pure.

A slot is one algorithm of one domain; it has one key that should sign, and others that leave in order. Who wants which
slots, and how keys come to be, is in keys. RFC 6376 §3.1: selectors are what makes rotation possible.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mailstack.model.instant import HOUR_MS, MINUTE_MS, Instant, earliest, from_iso, iso
from mailstack.model.resource import DkimKeyBody, KeyState, Rotation
from mailstack.reconcile.dns.sighting import Sighting

SOONEST_LOOK_MS = MINUTE_MS
LATEST_LOOK_MS = HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """key: as it is from now on. is_new: apply makes it, or the spec brings it. is_stamped: apply notes when it came
    into its state. is_gone: with its record."""

    key: DkimKeyBody
    reason: str = ""
    is_new: bool = False
    is_stamped: bool = False
    is_gone: bool = False

    @property
    def signs(self) -> bool:
        return not self.is_gone and self.key.state == KeyState.SIGNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """held: its keys, in any state. given: the key that the spec brings, as a new one. fresh: the key that apply would
    make. rotate_after_ms: None for never. linger_ms: how long a retired key's record stays. look: at a key's record.
    """

    held: Sequence[DkimKeyBody]
    given: DkimKeyBody | None
    fresh: DkimKeyBody
    rotate_after_ms: int | None
    linger_ms: int
    look: Callable[[DkimKeyBody], Sighting]
    now: Instant


def slot_outcomes(slot: Slot) -> tuple[Outcome, ...]:
    """The key that should sign first, then those before it."""
    chosen = _chosen(slot)
    rest = (key for key in slot.held if key.selector != chosen.key.selector)
    return (chosen, *(leaving(key, slot, after=chosen.key.selector if chosen.signs else "") for key in rest))


def leaving(key: DkimKeyBody, slot: Slot, *, after: str) -> Outcome:
    """A key that should sign no more. after: what signs in its place, "" while nothing does."""
    if key.rotation == Rotation.AT_ONCE:
        return Outcome(key=key, is_gone=True, reason="is to be trusted no more")
    if key.state == KeyState.PUBLISHED:
        return Outcome(key=key, is_gone=True, reason="never signed anything")
    if key.state == KeyState.SIGNS:
        if not after:
            return Outcome(key=key)
        retired = replace(key, state=KeyState.RETIRED.value, rotation=Rotation.NONE.value)
        return Outcome(key=retired, is_stamped=True, reason=f"{after} signs from now on")
    since = from_iso(key.since)
    if since is None:
        return Outcome(key=key, is_stamped=True, reason="its age is counted from now on")
    if slot.now >= since + slot.linger_ms:
        return Outcome(key=key, is_gone=True, reason=f"retired at {key.since}: what it signed has arrived or come back")
    return Outcome(key=key)


def again_at(slot: Slot, outcomes: Sequence[Outcome]) -> Instant | None:
    """When one of the keys has its next turn. outcomes: the key that should sign first, as slot_outcomes has them."""
    rotate_after_ms = slot.rotate_after_ms if slot.given is None else None
    turns = [_turn(outcome, slot, rotate_after_ms) for outcome in outcomes[:1]]
    turns += [_turn(outcome, slot, None) for outcome in outcomes[1:]]
    return earliest(*turns)


def turn_at(key: DkimKeyBody, *, rotate_after_ms: int | None, linger_ms: int) -> Instant | None:
    """When a key's next step is due by the clock alone; None for one that waits for DNS, or for nothing."""
    since = from_iso(key.since)
    if since is None or key.state == KeyState.PUBLISHED:
        return None
    if key.state == KeyState.RETIRED:
        return Instant(since + linger_ms)
    return None if rotate_after_ms is None else Instant(since + rotate_after_ms)


def look_again_at(since: Instant, now: Instant) -> Instant:
    """When to look at a record again that was not seen: often at first, each hour in the end."""
    waited_ms = max(now - since, 0)
    return Instant(now + min(max(waited_ms // 4, SOONEST_LOOK_MS), LATEST_LOOK_MS))


def _chosen(slot: Slot) -> Outcome:
    current = _current(slot)
    if current is None:
        return Outcome(key=slot.given or slot.fresh, is_new=True, reason="signs once its record is seen in DNS")
    if slot.given is None:
        why = _why_another(current, slot)
        if why:
            return Outcome(key=slot.fresh, is_new=True, reason=why)
    return _advanced(current, slot)


def _current(slot: Slot) -> DkimKeyBody | None:
    if slot.given is not None:
        return next((key for key in slot.held if key.selector == slot.given.selector), None)
    alive = [key for key in slot.held if key.state != KeyState.RETIRED and not key.origin]
    # While a rotation is under way there are two, and the younger one is not seen yet.
    return max(alive, key=lambda key: (key.state == KeyState.PUBLISHED, key.since), default=None)


def _why_another(current: DkimKeyBody, slot: Slot) -> str:
    if current.rotation == Rotation.AT_ONCE:
        return f"{current.selector} is to be trusted no more"
    if current.state != KeyState.SIGNS:
        return ""
    if current.rotation == Rotation.ASKED:
        return f"follows {current.selector}: rotation was asked for"
    since = from_iso(current.since)
    if slot.rotate_after_ms is not None and since is not None and slot.now >= since + slot.rotate_after_ms:
        return f"follows {current.selector}, which signs since {current.since}"
    return ""


def _advanced(key: DkimKeyBody, slot: Slot) -> Outcome:
    if key.state == KeyState.RETIRED:
        again = replace(key, state=KeyState.PUBLISHED.value)
        return Outcome(key=again, is_stamped=True, reason="the spec gives it again")
    if key.state == KeyState.PUBLISHED:
        found = slot.look(key)
        if not found.is_seen:
            return Outcome(key=key)
        signing = replace(key, state=KeyState.SIGNS.value, rotation=Rotation.NONE.value)
        return Outcome(key=signing, is_stamped=True, reason=found.told)
    if slot.rotate_after_ms is not None and not key.origin and from_iso(key.since) is None:
        return Outcome(key=key, is_stamped=True, reason="its age is counted from now on")
    return Outcome(key=key)


def _turn(outcome: Outcome, slot: Slot, rotate_after_ms: int | None) -> Instant | None:
    if outcome.is_gone:
        return None
    key = outcome.key
    if outcome.is_new or outcome.is_stamped:
        key = replace(key, since=iso(slot.now))
    if key.state == KeyState.PUBLISHED:
        return look_again_at(from_iso(key.since) or slot.now, slot.now)
    return turn_at(key, rotate_after_ms=rotate_after_ms, linger_ms=slot.linger_ms)
