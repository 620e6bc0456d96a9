"""Relays that take nothing: said once in a while, not at every mail. Unlike a stranger's server, a relay is the
operator's to put right: its password, its name, whether it runs at all. Once it is, what waits for it waits no more."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from mailstack.model.delivery import Deferred, Outcome
from mailstack.model.errors import DomainError
from mailstack.model.instant import HOUR_MS, Clock, Instant
from mailstack.ports.queue import Queue
from mailstack.services.outbound.route import Relay, RouteTable

log = structlog.get_logger()

AGAIN_AFTER_MS = HOUR_MS


class RelayTroubles:
    """What one runner knows of them. One that was set up otherwise has to show whether that helped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._warned: dict[str, tuple[str, Instant]] = {}

    def note(self, relay: Relay, outcomes: Sequence[Outcome]) -> None:
        """outcomes: of one attempt, one or more. Of a mailbox that is locked or full, the relay is not to blame."""
        outcomes = [outcome for outcome in outcomes if not _is_of_one_address(outcome)]
        if not outcomes:
            return
        known = log.bind(relay=relay.name, host=relay.hop.host, reply=str(outcomes[0].reply))
        mark, warned_at = self._warned.get(relay.name, ("", None))
        if not all(isinstance(outcome, Deferred) for outcome in outcomes):
            if warned_at is not None:
                del self._warned[relay.name]
                known.info("relay takes mail again")
            return
        now = self._clock()
        if warned_at is None or mark != relay.mark or now - warned_at >= AGAIN_AFTER_MS:
            self._warned[relay.name] = relay.mark, now
            known.warning("relay takes no mail")


def _is_of_one_address(outcome: Outcome) -> bool:
    # RFC 3463 §3.2, §3.3
    return isinstance(outcome, Deferred) and bool(outcome.host) and outcome.reply.status.startswith(("4.1.", "4.2."))


class RelayChanges:
    """What waits since a relay put it off that is set up otherwise by now, or gone, is due at once."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._routes: RouteTable | None = None

    async def follow(self, routes: RouteTable) -> None:
        """Also at a start: the spec may have been applied while no server ran."""
        if routes is self._routes:
            return
        try:
            count = await self._queue.retry_others([relay.mark for relay in routes.relays], now=self._clock())
        except DomainError as fault:
            log.warning("what waited for another relay is not due yet; tried again", fault=repr(fault))
            return
        self._routes = routes
        if count:
            log.info("what waited for relays that are set up otherwise now is due", recipients=count)


def put_off_by(mark: str, outcome: Outcome) -> Outcome:
    return replace(outcome, relay=mark) if mark and isinstance(outcome, Deferred) else outcome


def is_outdated(outcome: Outcome, routes: RouteTable) -> bool:
    """The relay that put it off was set up otherwise meanwhile."""
    if not isinstance(outcome, Deferred) or not outcome.relay:
        return False
    return all(relay.mark != outcome.relay for relay in routes.relays)
