"""MTA-STS policies of the domains that mail goes to: found by DNS, fetched when they have to be, remembered, refreshed.

What cannot be learned now takes nothing away: what was fetched before counts until it ends, and where there is nothing,
mail goes out as if there were no policy. RFC 8461 §3.3, §10.2.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from mailstack.formats.mta_sts import parse_policy, parse_records
from mailstack.mailauth.mtasts import RETRY_MS, expires_at, must_fetch, policy_of, refresh_at
from mailstack.model.errors import DomainError, Invalid, TryAgainLater
from mailstack.model.instant import DAY_MS, Clock, Instant
from mailstack.model.tls_policy import KnownStsPolicy, Sts, StsFetchFailure, StsMemory, StsMode, TlsFailure, Unfetched
from mailstack.ports.policy_host import PolicyHost
from mailstack.ports.resolver import Resolver
from mailstack.ports.sts_policies import StsPolicies

KEPT_FRESH_MS = 90 * DAY_MS
"""Since mail last went there; then a policy is left to end."""
REFRESHED_AT_ONCE = 20
MAIL_WAITS_S = 10.0
"""For a fetch, from its start; RFC 8461 §3.3 suggests a minute for the fetch itself, which goes on."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Fetch:
    """patience_ends: in the loop's time; mail goes on without it then."""

    task: "asyncio.Task[None]"
    patience_ends: float


class StsLookup:
    """A policy that several mails wait for is fetched once."""

    def __init__(self, *, resolver: Resolver, policies: StsPolicies, host: PolicyHost, clock: Clock) -> None:
        self._resolver = resolver
        self._policies = policies
        self._host = host
        self._clock = clock
        self._fetching: dict[str, _Fetch] = {}

    async def policy(self, domain: str) -> Sts | None:
        """What counts for mail to this domain now: what was known before, where a fetch takes long.

        domain: A-labels, no address literal."""
        memory = await self._learn(domain, is_patient=False)
        known, now = memory.known, self._clock()
        if known is not None and now >= (memory.used_at or 0) + DAY_MS:
            await self._policies.used(domain, now=now)
        return policy_of(known, now=now)

    async def learn(self, domain: str) -> StsMemory:
        """What is known once it was fetched, if it has to be."""
        return await self._learn(domain, is_patient=True)

    async def _learn(self, domain: str, *, is_patient: bool) -> StsMemory:
        try:
            record_id = await self.record_id(domain)
        except TryAgainLater:
            record_id = None  # RFC 8461 §3.3: who cuts us off from DNS takes no policy away
        memory = await self._policies.find(domain)
        failed_at = memory.failure.failed_at if memory.failure else None
        if record_id is None or not must_fetch(memory.known, record_id, failed_at=failed_at, now=self._clock()):
            return memory
        await self._fetched_once(domain, record_id, is_patient=is_patient)
        return await self._policies.find(domain)

    async def record_id(self, domain: str) -> str | None:
        """As DNS has it now. Raises TryAgainLater."""
        return parse_records(await self._resolver.texts(f"_mta-sts.{domain}"))

    async def refresh(self) -> int:
        """All that are due, so that nobody need only wait until a policy ends (RFC 8461 §10.2); returns how many."""
        began, done = self._clock(), 0
        while due := await self._policies.due(
            now=began, used_after=Instant(began - KEPT_FRESH_MS), most=REFRESHED_AT_ONCE
        ):
            await self._refresh_all(due)
            done += len(due)
        return done

    async def _refresh_all(self, due: Sequence[KnownStsPolicy]) -> None:
        """Raises what one of them did: where nothing can be written down, they would be due for ever."""
        ends = await asyncio.gather(*map(self._refresh, due), return_exceptions=True)
        faults = [end for end in ends if end is not None]
        if faults:
            raise min(faults, key=lambda fault: isinstance(fault, DomainError))

    async def _refresh(self, known: KnownStsPolicy) -> None:
        try:
            record_id = await self.record_id(known.domain)
        except TryAgainLater as fault:
            await self._failed(known.domain, "", Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, fault.detail))
            return
        if record_id is None:
            missing = Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, f"_mta-sts.{known.domain} has no record any more")
            await self._failed(known.domain, "", missing)
            return
        await self._fetched_once(known.domain, record_id, is_patient=True)

    async def _fetched_once(self, domain: str, record_id: str, *, is_patient: bool) -> None:
        """Goes on when who asked for it gives up: the next mail will ask for it too."""
        fetch = self._fetching.get(domain)
        if fetch is None:
            loop = asyncio.get_running_loop()
            fetch = _Fetch(loop.create_task(self._fetch(domain, record_id)), loop.time() + MAIL_WAITS_S)
            self._fetching[domain] = fetch
            fetch.task.add_done_callback(lambda task: self._done(domain, task))
        with suppress(TimeoutError):
            async with asyncio.timeout_at(None if is_patient else fetch.patience_ends):
                await asyncio.shield(fetch.task)

    def _done(self, domain: str, task: "asyncio.Task[None]") -> None:
        del self._fetching[domain]
        fault = None if task.cancelled() else task.exception()
        if fault is not None:  # those who asked may all have given up
            told = log.warning if isinstance(fault, DomainError) else log.error
            told("MTA-STS policy not kept; the next mail asks for it again", domain=domain, fault=repr(fault))

    async def _fetch(self, domain: str, record_id: str) -> None:
        found = await self._host.fetch(domain)
        if isinstance(found, Unfetched):
            await self._failed(domain, record_id, found)
            return
        try:
            policy = parse_policy(found)
        except Invalid as fault:
            await self._failed(domain, record_id, Unfetched(TlsFailure.STS_POLICY_INVALID, fault.detail))
            return
        known = KnownStsPolicy(domain=domain, policy_id=record_id, policy=policy, fetched_at=self._clock())
        await self._policies.keep(known, refresh_at=refresh_at(known), ends_at=expires_at(known))
        log.info("MTA-STS policy fetched", domain=domain, mode=policy.mode.value, max_age_s=policy.max_age_s)

    async def _failed(self, domain: str, record_id: str, why: Unfetched) -> None:
        now = self._clock()
        failure = StsFetchFailure(policy_id=record_id, failure=why.failure, detail=why.detail, failed_at=now)
        await self._policies.failed(domain, failure, retry_at=Instant(now + RETRY_MS))
        known = (await self._policies.find(domain)).known
        # RFC 8461 §3.3: whoever runs the server should hear of it, unless what counts is "none".
        counts = known is not None and now < expires_at(known) and known.policy.mode is not StsMode.NONE
        told = log.warning if counts else log.info
        told("MTA-STS policy not fetched", domain=domain, failure=why.failure.value, reason=why.detail)
