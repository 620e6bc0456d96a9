"""Showing an authority that a name is ours: by our own servers, or in the zone that holds the name.

RFC 8555 §8.3 (http-01), §8.4 (dns-01), RFC 8737 (tls-alpn-01). Which one is asked for is the order's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Container, Sequence
from contextlib import suppress

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.errors import DomainError
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.model.issuance import NotIssued, Proof, ProofMethod
from mailstack.ports.challenges import Challenges
from mailstack.reconcile.dns.live import LiveDns, spread
from mailstack.reconcile.dns.record_set import PROOF_LABEL, RecordSet
from mailstack.reconcile.dns.zones import zone_of
from mailstack.reconcile.providers.certs import proof_certificate

SHOWN_FOR_MS = 15 * MINUTE_MS
IN_DNS_FOR_MS = 30 * MINUTE_MS
ANSWERED_WITHIN_S = 30.0
LOOK_EVERY_S = 0.1
SEEN_WITHIN_S = 180.0
LOOK_AT_DNS_EVERY_S = 2.0
PROOF_TTL_S = 60

IsAnswered = Callable[[Proof], Awaitable[bool]]
"""Whether a server of ours shows this proof to those who ask."""
WriteBeside = Callable[[Sequence[RecordSet], Collection[str]], Awaitable[None]]
"""Has these zones hold these records, besides what they hold otherwise. Raises DomainError."""


class ServerProver:
    """For http-01 and tls-alpn-01. within_s: how long our own server may take to show a proof."""

    def __init__(
        self,
        challenges: Challenges,
        *,
        clock: Clock,
        is_answered: IsAnswered,
        within_s: float = ANSWERED_WITHIN_S,
    ) -> None:
        self._challenges = challenges
        self._clock = clock
        self._is_answered = is_answered
        self._within_s = within_s

    async def show(self, proofs: Sequence[Proof]) -> None:
        until = Instant(self._clock() + SHOWN_FOR_MS)
        try:
            for proof in proofs:
                await self._challenges.put(await asyncio.to_thread(_challenge, proof, self._clock(), until))
        except DomainError as fault:
            raise NotIssued(f"the proof could not be kept: {fault.detail}") from fault
        for proof in proofs:
            await self._wait_for(proof)

    async def withdraw(self, proofs: Sequence[Proof]) -> None:
        for proof in proofs:
            # One that stays behind ends by itself, and must not cost a certificate that was issued.
            with suppress(DomainError):
                await self._challenges.remove(ChallengeKind(proof.method.value), _name(proof))

    async def _wait_for(self, proof: Proof) -> None:
        """A server that has only just started, or none at all, must not cost one of the authority's few tries."""
        try:
            async with asyncio.timeout(self._within_s):
                while not await self._is_answered(proof):  # noqa: ASYNC110  the server is another process
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            listener = "http" if proof.method is ProofMethod.HTTP_01 else "https"
            raise NotIssued(
                f"this server does not show the proof for {proof.host} itself (server.listeners.{listener}):"
                " is mailstack serve running?"
            ) from None


class DnsProver:
    """For dns-01. zones: of the spec. write: has zones hold these records besides what they hold otherwise.
    within_s: how long the zone's servers may take to show a record.

    What is in DNS is kept among the challenges too, so that neither an apply nor another order takes it away.
    """

    def __init__(
        self,
        challenges: Challenges,
        zones: Container[str],
        live_dns: LiveDns,
        write: WriteBeside,
        *,
        clock: Clock,
        within_s: float = SEEN_WITHIN_S,
    ) -> None:
        self._challenges = challenges
        self._zones = zones
        self._live_dns = live_dns
        self._write = write
        self._clock = clock
        self._within_s = within_s

    async def show(self, proofs: Sequence[Proof]) -> None:
        until = Instant(self._clock() + IN_DNS_FOR_MS)
        try:
            for proof in proofs:
                await self._challenges.put(_challenge(proof, self._clock(), until))
            await self._write_all(proofs)
        except DomainError as fault:
            raise NotIssued(f"the proof could not be written: {fault.detail}") from fault
        for record in proof_records(proofs):
            await self._wait_for(record)

    async def withdraw(self, proofs: Sequence[Proof]) -> None:
        # What stays behind is ours by its marker, and goes with a plan of the zone once its time is over.
        with suppress(DomainError):
            for proof in proofs:
                await self._challenges.remove(ChallengeKind.DNS_01, proof.host)
            await self._write_all(proofs)

    async def _write_all(self, proofs: Sequence[Proof]) -> None:
        """Those of other orders in the same zones, too."""
        zones = self._zones_of(proofs)
        held = await proofs_in_dns(self._challenges, self._clock())
        await self._write(proof_records([proof for proof in held if zone_of(proof.host, self._zones) in zones]), zones)

    def _zones_of(self, proofs: Sequence[Proof]) -> frozenset[str]:
        return frozenset(zone for proof in proofs if (zone := zone_of(proof.host, self._zones)))

    async def _wait_for(self, record: RecordSet) -> None:
        zone = zone_of(record.name, self._zones) or ""
        seen = await self._live_dns.seen(zone, record.name, record.type)
        try:
            async with asyncio.timeout(self._within_s):
                # Where nobody can be asked, the provider's word that it is written has to do.
                while not seen.failure and not spread(seen, record.values).is_everywhere:
                    await asyncio.sleep(LOOK_AT_DNS_EVERY_S)
                    seen = await self._live_dns.seen(zone, record.name, record.type)
        except TimeoutError:
            missing = ", ".join(spread(seen, record.values).missing_at) or "any of its servers"
            raise NotIssued(f"the TXT record {record.name} was written, and is not seen at {missing}") from None


async def proofs_in_dns(challenges: Challenges, now: Instant) -> tuple[Proof, ...]:
    """Of all orders that are under way."""
    names = await challenges.names(ChallengeKind.DNS_01, now=now)
    found = [await challenges.find(ChallengeKind.DNS_01, name, now=now) for name in names]
    return tuple(
        Proof(method=ProofMethod.DNS_01, host=one.name, token="", value=one.value) for one in found if one is not None
    )


def proof_records(proofs: Sequence[Proof]) -> tuple[RecordSet, ...]:
    """RFC 8555 §8.4: a TXT record for each name, all the values of one name in one set."""
    values: dict[str, list[str]] = {}
    for proof in proofs:
        values.setdefault(f"{PROOF_LABEL}.{proof.host}", []).append(proof.value)
    return tuple(
        RecordSet(name=name, type="TXT", values=tuple(found), ttl_s=PROOF_TTL_S) for name, found in values.items()
    )


def _challenge(proof: Proof, now: Instant, until: Instant) -> Challenge:
    kind = ChallengeKind(proof.method.value)
    value = proof_certificate(proof.host, proof.value, now) if kind is ChallengeKind.TLS_ALPN_01 else proof.value
    return Challenge(kind=kind, name=_name(proof), value=value, until=until)


def _name(proof: Proof) -> str:
    return proof.token if proof.method is ProofMethod.HTTP_01 else proof.host
