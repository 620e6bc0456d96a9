"""A certificate's new key under DANE: its TLSA record is published beside the old one's, seen, known to everybody, and
only then is the key used; the old one's record goes last. A function of what is held, time and what DNS shows. Pure.

RFC 7671 §8.1: senders go by records that they may have kept for a TTL, so a key must have been in DNS for longer than
that before it is shown. Not when a new key is wanted (providers.acme), nor the record (dns.kinds.transport).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from mailstack.model.instant import HOUR_MS, MINUTE_MS, SECOND_MS, Instant, from_iso, iso
from mailstack.model.resource import CertificateBody
from mailstack.reconcile.dns.live import Seen, spread
from mailstack.reconcile.dns.sighting import Observed, Question
from mailstack.reconcile.dns.zones import zone_of
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY
from mailstack.reconcile.providers.certs import key_digest
from mailstack.spec.model import Spec

MADE = ("next_key_digest", "next_key")
TTLS_WAITED = 2
"""One that a resolver kept just before the record came, and one more for those who keep things too long."""
LOOK_AGAIN_MS = 5 * MINUTE_MS
OLD_KEPT_MS = HOUR_MS
"""The old key's record outlives the swap by this: servers take a moment, and a sender may have just connected."""
DEFAULT_TTL_S = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of the host's TLSA record set. seen: what its servers show now. ttl_s: as it is published."""

    seen: Seen
    ttl_s: int


class Roll(Enum):
    UNNAMED = "unnamed"  # no TLSA record names the key: it may change at any time
    IDLE = "idle"
    WAITS = "waits"  # a next key is made, and must not be used yet
    READY = "ready"  # everybody knows the next key


@dataclass(frozen=True, slots=True, kw_only=True)
class RollStep:
    """body: what the certificate becomes, None where nothing is to do now. makes_key: apply makes the next key. reason:
    of the step. told: what is waited for. again_at: until when."""

    roll: Roll = Roll.UNNAMED
    body: CertificateBody | None = None
    makes_key: bool = False
    reason: str = ""
    told: str = ""
    again_at: Instant | None = None


def tlsa_question(spec: Spec) -> Question:
    """Whose answer a roll depends on."""
    name = f"_25._tcp.{spec.server.hostname}"
    return Question(zone=zone_of(name, spec.dns.zones) or "", key=(name, "TLSA"))


def watched(spec: Spec, observed: Observed) -> Watched:
    question = tlsa_question(spec)
    zone = spec.dns.zones.get(question.zone)
    nothing = Seen(failure="nobody was asked")
    return Watched(seen=observed.get(question.key, nothing), ttl_s=zone.ttl if zone else DEFAULT_TTL_S)


def published_digests(body: CertificateBody, current: str) -> Iterator[str]:
    """Of the keys that a TLSA record is wanted for. current: of the certificate's own key; "" for one to be made."""
    next_digest = "" if body.next_key_digest == KNOWN_AFTER_APPLY else body.next_key_digest
    yield current
    if body.next_key_digest:
        yield next_digest
    if body.last_key_digest:
        yield body.last_key_digest


def roll_step(body: CertificateBody, dns: Watched, now: Instant, *, wants_new: bool, key_type: str) -> RollStep:
    """wants_new: another key should be used than the certificate has. key_type: what kind of key that would be."""
    if body.next_key_digest:
        return _on_its_way(body, dns, now)
    if wants_new:
        announced = replace(
            body, next_key_digest=KNOWN_AFTER_APPLY, next_key_type=key_type, next_key_made=iso(now), next_key_since=""
        )
        reason = "a new key: its TLSA record is published before it is used"
        return RollStep(roll=Roll.WAITS, body=announced, makes_key=True, reason=reason)
    if not body.last_key_digest:
        return RollStep(roll=Roll.IDLE)
    until = Instant((from_iso(body.last_key_since) or now) + OLD_KEPT_MS)
    if now < until:
        return RollStep(roll=Roll.IDLE, again_at=until)
    alone = replace(body, last_key_digest="", last_key_since="")
    return RollStep(roll=Roll.IDLE, body=alone, reason="the TLSA record of the former key is not needed any more")


def with_next_key(new: CertificateBody, held: CertificateBody, now: Instant, *, is_published: bool) -> CertificateBody:
    """The new certificate for the next key. is_published: the old key's record is in DNS and stays for a while."""
    return replace(
        new,
        key_type=held.next_key_type or new.key_type,
        last_key_digest=key_digest(held.certificate) if is_published else "",
        last_key_since=iso(now) if is_published else "",
    )


def with_old_key(new: CertificateBody, held: CertificateBody) -> CertificateBody:
    """The new certificate for the key in use; a roll that is under way goes on."""
    return replace(
        new,
        key_type=held.key_type,
        key_since=held.key_since,
        next_key_digest=held.next_key_digest,
        next_key_type=held.next_key_type,
        next_key_made=held.next_key_made,
        next_key_since=held.next_key_since,
        last_key_digest=held.last_key_digest,
        last_key_since=held.last_key_since,
    )


def _on_its_way(body: CertificateBody, dns: Watched, now: Instant) -> RollStep:
    since = from_iso(body.next_key_since)
    if since is None:
        look_at = Instant((from_iso(body.next_key_made) or now) + LOOK_AGAIN_MS)
        if now < look_at:  # whoever has just applied sees nothing left to do
            return RollStep(roll=Roll.WAITS, again_at=look_at)
        found = spread(dns.seen, [f"3 1 1 {body.next_key_digest}"])
        if not found.is_everywhere:
            missing = ", ".join(found.missing_at) or dns.seen.failure or "any of its servers"
            told = f"the TLSA record of its new key is not seen yet at {missing}; the old key goes on"
            return RollStep(roll=Roll.WAITS, told=told, again_at=Instant(now + LOOK_AGAIN_MS))
        noted = replace(body, next_key_since=iso(now))
        reason = f"the TLSA record of its new key is seen at {', '.join(found.at)}"
        return RollStep(roll=Roll.WAITS, body=noted, reason=reason)
    ready_at = Instant(since + TTLS_WAITED * dns.ttl_s * SECOND_MS)
    if now < ready_at:
        return RollStep(roll=Roll.WAITS, again_at=ready_at)
    return RollStep(roll=Roll.READY, reason=f"its new key takes over, seen in DNS since {body.next_key_since}")
