"""DKIM keys: which ones there should be by the spec, which step of their life is due, and how they are made or read.

The steps themselves are in key_life. RFC 6376 §3.1, §3.6.1, RFC 8301, RFC 8463.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailstack.mailauth.dkim.keys import generate, pair_of, record
from mailstack.model.errors import Invalid
from mailstack.model.instant import SECOND_MS, Instant, earliest, iso
from mailstack.model.resource import DkimKeyBody, KeyState, Kind, Resource, Snapshot, body_of, fields_of
from mailstack.reconcile.dns.record_set import DEFAULT_TTL_S
from mailstack.reconcile.dns.sighting import NOT_LOOKED_AT, Observed, Question, Sighting, sighting
from mailstack.reconcile.dns.zones import zone_of
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.key_life import Outcome, Slot, again_at, leaving, slot_outcomes
from mailstack.reconcile.safety import named
from mailstack.reconcile.wanted import Kept, Secrets, Wanted
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import Dkim, GivenKey

STAMPED = ("since",)
MADE = ("public_key", "since", "private_key")
FROM_SPEC = "spec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """endings: why keys that are no longer wanted go, by resource name."""

    wanted: tuple[Wanted, ...]
    warnings: tuple[PlanWarning, ...]
    again_at: Instant | None
    endings: Mapping[str, str] = field(default_factory=dict)


def wanted_keys(spec: Spec, live: Snapshot, secrets: Secrets, observed: Observed, now: Instant) -> Keys:
    """Keys of the spec that cannot be used are gathered in secrets.faults."""
    held = live_keys(live)
    ring = _Ring(spec=spec, live=live, secrets=secrets, observed=observed, now=now)
    by_domain: dict[str, list[DkimKeyBody]] = {}
    for body in held:
        by_domain.setdefault(body.domain, []).append(body)
    lives = [
        ring.domain_life(name, domain.dkim, tuple(by_domain.get(name, ())))
        for name, domain in spec.domains.items()
        if domain.dkim.algorithms  # a backup mail exchanger signs nothing
    ]
    outcomes = [outcome for life in lives for outcome in life.outcomes]
    return Keys(
        wanted=tuple(ring.wanted(outcome) for outcome in outcomes if not outcome.is_gone),
        warnings=(*_unseen(outcomes, ring), *_orphans(held, spec)),
        again_at=earliest(*(life.again_at for life in lives)),
        endings={resource_name(outcome.key): outcome.reason for outcome in outcomes if outcome.is_gone},
    )


def key_questions(spec: Spec, live: Snapshot) -> tuple[Question, ...]:
    """The records whose being seen lets a key sign."""
    waiting = (key for key in live_keys(live) if key.state == KeyState.PUBLISHED and key.domain in spec.domains)
    return tuple(question_of(key, spec) for key in waiting)


def question_of(key: DkimKeyBody, spec: Spec) -> Question:
    name = resource_name(key)
    return Question(zone=zone_of(name, spec.dns.zones) or "", key=(name, "TXT"))


def live_keys(live: Snapshot) -> tuple[DkimKeyBody, ...]:
    return tuple(body_of(DkimKeyBody, found) for (kind, _), found in live.resources.items() if kind is Kind.DKIM_KEY)


def look_at(key: DkimKeyBody, observed: Observed) -> Sighting:
    seen = observed.get((resource_name(key), "TXT"), NOT_LOOKED_AT)
    return sighting(seen, record(key.algorithm, key.public_key))


def linger_ms(spec: Spec, domain: str) -> int:
    """How long the record of a retired key stays: as long as mail that it signed may wait in the queue, and then as
    long as a resolver may remember the record that a slow receiver has asked for."""
    zone = zone_of(domain, spec.dns.zones)
    ttl_s = DEFAULT_TTL_S if zone is None else spec.dns.zones[zone].ttl
    return (int(spec.sending.lifetime.total_seconds()) + ttl_s) * SECOND_MS


def rotate_after_ms(dkim: Dkim) -> int | None:
    return None if dkim.rotate_every is None else int(dkim.rotate_every.total_seconds()) * SECOND_MS


def resource_name(key: DkimKeyBody) -> str:
    return f"{key.selector}._domainkey.{key.domain}"


def make_key(wanted: Wanted, now: Instant) -> tuple[Resource, Mapping[str, str]]:
    """The resource as it is stored, and its secrets where they are new."""
    fields = {**wanted.resource.fields, "since": iso(now)}
    if "private_key" not in wanted.made:
        return replace(wanted.resource, fields=fields), wanted.secrets
    pair = generate(str(wanted.resource.fields["algorithm"]))
    resource = replace(wanted.resource, fields={**fields, "public_key": pair.public_key})
    return resource, {"private_key": pair.private_pem}


@dataclass(frozen=True, slots=True, kw_only=True)
class _DomainLife:
    outcomes: tuple[Outcome, ...]
    again_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ring:
    """All that the keys of one plan depend on."""

    spec: Spec
    live: Snapshot
    secrets: Secrets
    observed: Observed
    now: Instant
    given_pems: dict[str, str] = field(default_factory=dict, repr=False)

    def domain_life(self, domain: str, dkim: Dkim, held: Sequence[DkimKeyBody]) -> _DomainLife:
        slots = [self._slot(domain, algorithm, dkim, held) for algorithm in dkim.algorithms]
        found = [slot_outcomes(slot) for slot in slots]
        turns = [again_at(slot, outcomes) for slot, outcomes in zip(slots, found, strict=True)]
        # What the spec asks for no more signs until all that it asks for does: a domain is never left unsigned.
        after = found[0][0].key.selector if all(outcomes[0].signs for outcomes in found) else ""
        rest = [leaving(key, slots[0], after=after) for key in held if key.algorithm not in dkim.algorithms]
        # The first of the outcomes is the key that should sign; here there is none.
        turns.append(again_at(slots[0], (Outcome(key=slots[0].fresh, is_gone=True), *rest)))
        outcomes = (*itertools.chain.from_iterable(found), *rest)
        return _DomainLife(outcomes=outcomes, again_at=earliest(*turns))

    def wanted(self, outcome: Outcome) -> Wanted:
        name, fields = resource_name(outcome.key), fields_of(outcome.key)
        pem = self.given_pems.get(name)
        if outcome.is_new and pem is not None:
            given = self.secrets.wanted(Kind.DKIM_KEY, name, outcome.key, {"private_key": pem})
            return replace(given, made=STAMPED, reason=outcome.reason)
        if outcome.is_new:
            resource = Resource(kind=Kind.DKIM_KEY, name=name, fields=fields)
            return Wanted(resource=resource, made=MADE, reason=outcome.reason)
        resource = self.live.resources[Kind.DKIM_KEY, name]
        if not outcome.is_stamped:
            return Wanted(resource=resource)
        return Wanted(resource=replace(resource, fields=fields), made=STAMPED, reason=outcome.reason)

    def _slot(self, domain: str, algorithm: str, dkim: Dkim, held: Sequence[DkimKeyBody]) -> Slot:
        return Slot(
            held=[key for key in held if key.algorithm == algorithm],
            given=self._given(domain, algorithm, dkim, held),
            fresh=_new_key(domain, self._fresh_selector(algorithm, dkim, held), algorithm),
            rotate_after_ms=rotate_after_ms(dkim),
            linger_ms=linger_ms(self.spec, domain),
            look=lambda key: look_at(key, self.observed),
            now=self.now,
        )

    def _fresh_selector(self, algorithm: str, dkim: Dkim, held: Sequence[DkimKeyBody]) -> str:
        # RFC 6376 §3.1: a selector must not come back with another key. Generations are counted and never come back.
        number = self.live.generation + 1
        taken: Collection[str] = {key.selector for key in held} | {key.selector for key in dkim.keys}
        names = (f"{algorithm}-{number}{letter}" for letter in ("", *"bcdefghijklmnopqrstuvwxyz"))
        return next(name for name in names if name not in taken)

    def _given(self, domain: str, algorithm: str, dkim: Dkim, held: Sequence[DkimKeyBody]) -> DkimKeyBody | None:
        found = ((index, key) for index, key in enumerate(dkim.keys) if key.algorithm == algorithm)
        index, given = next(found, (0, None))
        if given is None:
            return None
        path = ("domains", domain, "dkim", "keys", index)
        key = _new_key(domain, given.selector, algorithm, origin=FROM_SPEC)
        name = resource_name(key)
        reference = given.private_key.get_secret_value()
        pem = self.secrets.read_or_keep((*path, "private_key"), reference, Kind.DKIM_KEY, name, "private_key")
        if isinstance(pem, Kept) or not pem:
            return key
        try:
            pair = pair_of(algorithm, pem)
        except Invalid as fault:
            self.secrets.report((*path, "private_key"), f"the secret holds no key for this: {fault.detail}")
            return key
        if any(other.selector == key.selector and other.public_key != pair.public_key for other in held):
            self.secrets.report((*path, "selector"), _taken(given))
        self.given_pems[name] = pair.private_pem
        return replace(key, public_key=pair.public_key)


def _new_key(domain: str, selector: str, algorithm: str, *, origin: str = "") -> DkimKeyBody:
    return DkimKeyBody(
        domain=domain,
        selector=selector,
        algorithm=algorithm,
        public_key="",
        state=KeyState.PUBLISHED.value,
        origin=origin,
    )


def _taken(given: GivenKey) -> str:
    return (
        f"the selector {given.selector} stands for another key already, and receivers may remember that one"
        " (RFC 6376 §3.1); choose a selector that was never used"
    )


def _unseen(outcomes: Sequence[Outcome], ring: _Ring) -> Iterator[PlanWarning]:
    """Keys that wait for DNS since an earlier apply; those that wait for the same, in one warning."""
    signing = {outcome.key.domain for outcome in outcomes if outcome.signs}
    waiting: dict[str, list[str]] = {}
    for outcome in outcomes:
        key = outcome.key
        if outcome.is_new or outcome.is_gone or key.state != KeyState.PUBLISHED:
            continue
        else_ = "the keys before it sign meanwhile" if key.domain in signing else "until then mail goes out unsigned"
        waiting.setdefault(f"{look_at(key, ring.observed).told}; {else_}", []).append(resource_name(key))
    for why, names in waiting.items():
        once = "signs once its record is" if len(names) == 1 else "sign once their records are"
        yield PlanWarning(subject=named("dkim_key", names), text=f"{once} seen in DNS: {why}")


def _orphans(held: Sequence[DkimKeyBody], spec: Spec) -> Iterator[PlanWarning]:
    leaving_domains = dict.fromkeys(
        key.domain for key in held if key.domain not in spec.domains and key.state != KeyState.PUBLISHED
    )
    for domain in leaving_domains:
        text = "its DKIM records go with it at once: mail that waits in the queue arrives with signatures that fail"
        yield PlanWarning(subject=f"domain {domain}", text=text)
