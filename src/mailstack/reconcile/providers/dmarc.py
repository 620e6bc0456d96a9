"""`dmarc: policy: auto`: from none over quarantine to reject, each for its time, and only while all is well. Pure.

The time of a stage runs from when its record was first seen in DNS: what nobody could see taught nobody anything. Never
back: a policy that is loosened because DNS hiccups would be a gift to whoever made it hiccup. What the record
says is in dns.kinds.dmarc. RFC 9989 §4.7; its `t=y` is not used here, for receivers of before do not know it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from mailstack.mailauth.dkim.keys import record
from mailstack.model.instant import DAY_MS, HOUR_MS, SECOND_MS, Instant, earliest, from_iso, iso
from mailstack.model.resource import (
    DkimKeyBody,
    DmarcBody,
    KeyState,
    Kind,
    Resource,
    Snapshot,
    body_of,
    fields_of,
)
from mailstack.ports.dmarc_evidence import Evidence
from mailstack.reconcile.dns.check import Finding, judge, summary
from mailstack.reconcile.dns.kinds.dmarc import AUTO, dmarc_records, first_stage, stage_after
from mailstack.reconcile.dns.kinds.mail import spf_text
from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.reconcile.dns.sighting import NOT_LOOKED_AT, Observed, Question, sighting
from mailstack.reconcile.dns.zones import zone_of
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.key_life import look_again_at
from mailstack.reconcile.providers.keys import live_keys, question_of
from mailstack.reconcile.wanted import Wanted
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import Dmarc, Domain

SEEN = ("since",)
PUBLISHED = ("published",)
HELD_LOOK_MS = 6 * HOUR_MS
SIGNED_FOR_MS = 7 * DAY_MS
"""How long a domain must have signed: what was sent unsigned before must have arrived."""
FAILING_PERCENT = 1
STRICT = ("quarantine", "reject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    wanted: tuple[Wanted, ...]
    warnings: tuple[PlanWarning, ...]
    again_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the next stage of a policy depends on. evidence: by domain, of those that are due."""

    live: Snapshot
    observed: Observed
    evidence: Mapping[str, Evidence | None]
    now: Instant


def wanted_stages(spec: Spec, facts: Facts) -> Stages:
    keys = live_keys(facts.live)
    lives = [_Life(name, domain, spec, keys, facts) for name, domain in spec.domains.items() if _is_auto(domain)]
    turns = [life.turn() for life in lives]
    return Stages(
        wanted=tuple(turn.wanted for turn in turns),
        warnings=tuple(turn.warning for turn in turns if turn.warning is not None),
        again_at=earliest(*(turn.again_at for turn in turns)),
    )


def due_domains(spec: Spec, live: Snapshot, now: Instant) -> Mapping[str, Instant]:
    """Domains whose policy may be tightened now, with when its stage began."""
    found: dict[str, Instant] = {}
    for name, domain in spec.domains.items():
        held = _held(live, name) if _is_auto(domain) else None
        since = None if held is None else from_iso(held.since)
        if held is not None and since is not None and _is_due(held.stage, since, domain.dmarc, now):
            found[name] = since
    return found


def unseen_stages(spec: Spec, live: Snapshot) -> Mapping[str, RecordSet]:
    """By domain: the record that has to be seen before the time of its stage runs."""
    found: dict[str, RecordSet] = {}
    for name, domain in spec.domains.items():
        held = _held(live, name) if _is_auto(domain) else None
        if held is not None and from_iso(held.since) is None and stage_after(held.stage, domain.dmarc) is not None:
            found[name] = _record(name, domain, held.stage)
    return found


def stage_questions(spec: Spec, live: Snapshot, now: Instant) -> Iterator[Question]:
    """The records of stages that nobody has seen yet; and those that a tighter policy relies on: that of the policy so
    far, SPF, and those of the keys that sign."""
    for record_set in unseen_stages(spec, live).values():
        yield _question(spec, record_set.name)
    due = due_domains(spec, live, now)
    for name in due:
        yield _question(spec, name)
        yield _question(spec, f"_dmarc.{name}")
    for key in live_keys(live):
        if key.domain in due and key.state == KeyState.SIGNS:
            yield question_of(key, spec)


def ahead_of_records(spec: Spec, keys: Sequence[DkimKeyBody], stages: Sequence[Wanted]) -> Iterator[PlanWarning]:
    """Policies that receivers may act on before what they look at is there. keys: as they will be."""
    signing = {key.domain for key in keys if key.state == KeyState.SIGNS}
    by_domain = {item.resource.name: str(item.resource.fields["stage"]) for item in stages}
    for name, domain in spec.domains.items():
        policy = by_domain.get(name, domain.dmarc.policy)
        if policy in STRICT and not domain.dmarc.testing and name not in signing:
            text = f"DMARC policy {policy} is ahead of its records: no DKIM key signs yet, so what is forwarded fails"
            yield PlanWarning(subject=f"domain {name}", text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    wanted: Wanted
    again_at: Instant | None
    warning: PlanWarning | None = None


@dataclass(frozen=True, slots=True)
class _Life:
    name: str
    domain: Domain
    spec: Spec
    keys: Sequence[DkimKeyBody]
    facts: Facts

    def turn(self) -> _Turn:
        resource = self.facts.live.resources.get((Kind.DMARC, self.name))
        if resource is None:
            body = DmarcBody(stage=first_stage(self.domain.dmarc))
            fresh = Resource(kind=Kind.DMARC, name=self.name, fields=fields_of(body))
            return self._entered(fresh, body.stage, f"auto begins with {body.stage}")
        held = body_of(DmarcBody, resource)
        since = from_iso(held.since)
        following = stage_after(held.stage, self.domain.dmarc)
        if following is None:
            return _Turn(wanted=Wanted(resource=resource), again_at=None)
        if since is None:
            return self._looked_for(resource, held, following)
        if not _is_due(held.stage, since, self.domain.dmarc, self.facts.now):
            return _Turn(wanted=Wanted(resource=resource), again_at=_due_at(held.stage, since, self.domain.dmarc))
        return self._tightened(resource, held, following)

    def _looked_for(self, resource: Resource, held: DmarcBody, following: str) -> _Turn:
        """A stage whose record nobody has seen yet."""
        found = self._judged(_record(self.name, self.domain, held.stage))
        if found.is_right:
            due_at = _due_at(held.stage, self.facts.now, self.domain.dmarc)
            until = "" if due_at is None else f"; {following} on {iso(due_at)[:10]} if SPF and DKIM are well"
            reason = f"the record of p={held.stage} is seen in DNS: its time runs from now on{until}"
            return _Turn(wanted=Wanted(resource=resource, made=SEEN, reason=reason), again_at=due_at)
        text = f"DMARC p={held.stage} counts from when its record is seen in DNS: {summary(found)}"
        return _Turn(
            wanted=Wanted(resource=resource),
            again_at=look_again_at(from_iso(held.published) or self.facts.now, self.facts.now),
            warning=None if found.is_skipped else PlanWarning(subject=f"domain {self.name}", text=text),
        )

    def _tightened(self, resource: Resource, held: DmarcBody, following: str) -> _Turn:
        evidence = self.facts.evidence.get(self.name)
        troubles = [*self._troubles(held.stage), *_reported_troubles(evidence)]
        if troubles:
            text = f"DMARC stays at p={held.stage}, where p={following} was due: {'; '.join(troubles)}"
            return _Turn(
                wanted=Wanted(resource=resource),
                again_at=Instant(self.facts.now + HELD_LOOK_MS),
                warning=PlanWarning(subject=f"domain {self.name}", text=text),
            )
        changed = replace(resource, fields=fields_of(DmarcBody(stage=following)))
        why = f"{held.stage} since {held.since}, SPF and DKIM are seen, {_told(evidence)}"
        return self._entered(changed, following, why)

    def _entered(self, resource: Resource, stage: str, reason: str) -> _Turn:
        following = stage_after(stage, self.domain.dmarc)
        lasts = _told_duration(_lasts(stage, self.domain.dmarc))
        outlook = (
            "" if following is None else f"; {following} {lasts} after its record is seen, if SPF and DKIM are well"
        )
        return _Turn(
            wanted=Wanted(resource=resource, made=PUBLISHED, reason=f"{reason}{outlook}"),
            again_at=None if following is None else look_again_at(self.facts.now, self.facts.now),
        )

    def _judged(self, record_set: RecordSet) -> Finding:
        return judge("", record_set, self.facts.observed.get(record_set.key, NOT_LOOKED_AT))

    def _troubles(self, stage: str) -> Iterator[str]:
        policy = _record(self.name, self.domain, stage)
        spf = text_record(self.name, spf_text(self.name, self.domain.spf, self.spec.server.hostname))
        # A stage that nobody saw taught nobody anything, and a second record of SPF makes it fail (RFC 7208 §4.5).
        for told, record_set in ((f"the DMARC record of p={stage}", policy), ("the SPF record", spf)):
            found = self._judged(record_set)
            if not found.is_right:
                yield f"{told}: {summary(found)}"
        for algorithm in self.domain.dkim.algorithms:
            yield from self._key_troubles([key for key in self.keys if self._is_of(key, algorithm)], algorithm)

    def _is_of(self, key: DkimKeyBody, algorithm: str) -> bool:
        return (key.domain, key.algorithm) == (self.name, algorithm)

    def _key_troubles(self, keys: Sequence[DkimKeyBody], algorithm: str) -> Iterator[str]:
        signing = [key for key in keys if key.state == KeyState.SIGNS]
        if not signing:
            yield f"no {algorithm} key signs"
        for key in signing:
            question = question_of(key, self.spec).key
            found = sighting(self.facts.observed.get(question, NOT_LOOKED_AT), record(algorithm, key.public_key))
            if not found.is_seen:
                yield f"the record of {key.selector}: {found.told}"
            since = from_iso(key.since)
            is_first = all(other.state != KeyState.RETIRED for other in keys)
            if is_first and since is not None and self.facts.now < since + SIGNED_FOR_MS:
                yield f"{key.selector} signs only since {key.since}"


def _held(live: Snapshot, name: str) -> DmarcBody | None:
    resource = live.resources.get((Kind.DMARC, name))
    return None if resource is None else body_of(DmarcBody, resource)


def _record(name: str, domain: Domain, stage: str) -> RecordSet:
    return next(dmarc_records(name, domain.dmarc, stage))


def _question(spec: Spec, name: str) -> Question:
    return Question(zone=zone_of(name, spec.dns.zones) or "", key=(name, "TXT"))


def _is_auto(domain: Domain) -> bool:
    return domain.dmarc.policy == AUTO


def _is_due(stage: str, since: Instant, dmarc: Dmarc, now: Instant) -> bool:
    due_at = _due_at(stage, since, dmarc)
    return due_at is not None and now >= due_at


def _due_at(stage: str, since: Instant, dmarc: Dmarc) -> Instant | None:
    if stage_after(stage, dmarc) is None:
        return None
    return Instant(since + round(_lasts(stage, dmarc).total_seconds() * SECOND_MS))


def _lasts(stage: str, dmarc: Dmarc) -> timedelta:
    return dmarc.stages.none if stage == "none" else dmarc.stages.quarantine


def _told_duration(lasts: timedelta) -> str:
    """As a spec says it, if it says so little."""
    is_days = lasts >= timedelta(days=1)
    return f"{lasts // timedelta(days=1)}d" if is_days else f"{lasts // timedelta(hours=1)}h"


def _reported_troubles(evidence: Evidence | None) -> Iterator[str]:
    if evidence is not None and evidence.failing * 100 > evidence.messages * FAILING_PERCENT:
        yield f"receivers report that {evidence.failing} of {evidence.messages} of its mails fail"


def _told(evidence: Evidence | None) -> str:
    if evidence is None:
        return "no reports are read yet"
    return f"{evidence.failing} of {evidence.messages} mails fail in {evidence.reports} reports"
