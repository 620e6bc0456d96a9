"""Who sent a mail, as findings: what the checks came to, with the records that they went by. RFC 8601, RFC 9989."""

from collections.abc import Callable, Collection, Iterator

from mailstack.app.explain.explanation import Fact, Finding, Question
from mailstack.model.verdict import (
    ArcVerdict,
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcResult,
    IprevVerdict,
    SpfResult,
    SpfVerdict,
)

Answer = Callable[[str, str], Question | None]
"""What DNS said to a question of this name and type; None where it was not asked."""


def sender_findings(
    found: Authentication, peer_host: str, *, trusted_sealers: Collection[str], answer: Answer
) -> Iterator[Finding]:
    yield _iprev(found.iprev, peer_host)
    yield _spf(found.mail_from, answer)
    yield _spf(found.helo, answer)
    yield from map(_dkim, found.dkim)
    if not found.dkim:
        yield Finding(check="dkim", result=DkimResult.NONE.value, reason="no DKIM-Signature field")
    yield _arc(found.arc, trusted_sealers)
    yield _dmarc(found, answer)


def told(**facts: Fact) -> dict[str, Fact]:
    """Without those that say nothing."""
    return {name: value for name, value in facts.items() if value}


def _iprev(verdict: IprevVerdict, peer_host: str) -> Finding:
    return Finding(
        check="iprev",
        result=verdict.result.value,
        reason=verdict.reason,
        facts=told(address=peer_host, name=verdict.name),
    )


def _spf(verdict: SpfVerdict, answer: Answer) -> Finding:
    facts = told(
        identity=verdict.identity.value,
        domain=verdict.domain,
        record=_record(answer, verdict.domain, "v=spf1"),
        matched=verdict.mechanism,
        explanation=verdict.explanation,
    )
    if verdict.result is not SpfResult.NONE:
        facts["lookups"] = verdict.lookups
    return Finding(check="spf", result=verdict.result.value, reason=verdict.reason, facts=facts)


def _dkim(verdict: DkimVerdict) -> Finding:
    facts = told(
        domain=verdict.domain,
        selector=verdict.selector,
        identity=verdict.identity,
        algorithm=verdict.algorithm,
        key_bits=verdict.key_bits,
        testing=verdict.is_testing,
    )
    return Finding(check="dkim", result=verdict.result.value, reason=verdict.reason, facts=facts)


def _arc(verdict: ArcVerdict, trusted: Collection[str]) -> Finding:
    facts = told(
        sealers=verdict.sealers,
        trusted=tuple(sealer for sealer in verdict.sealers if sealer in trusted),
        trusted_results=verdict.trusted_results,
    )
    return Finding(check="arc", result=verdict.result.value, reason=verdict.reason, facts=facts)


def _dmarc(found: Authentication, answer: Answer) -> Finding:
    verdict = found.dmarc
    passing = {signature.domain: None for signature in found.dkim if signature.result is DkimResult.PASS}
    spf = [found.mail_from.domain] if found.mail_from.result is SpfResult.PASS else []
    facts = told(
        from_domain=verdict.from_domain,
        organizational_domain=verdict.organizational_domain,
        record_at=f"_dmarc.{verdict.policy_domain}" if verdict.policy_domain else "",
        record=_record(answer, f"_dmarc.{verdict.policy_domain}", "v=DMARC1") if verdict.policy_domain else "",
        testing=verdict.is_testing,
    )
    if verdict.policy_domain:
        facts |= {
            "spf": _alignment(spf, is_aligned=verdict.has_spf),
            "dkim": _alignment(passing, is_aligned=verdict.has_dkim),
        }
        if verdict.result is not DmarcResult.PASS:
            facts["policy"] = verdict.policy.value
    return Finding(check="dmarc", result=verdict.result.value, reason=verdict.reason, facts=facts)


def _alignment(domains: Collection[str], *, is_aligned: bool) -> str:
    """domains: that passed."""
    if not domains:
        return "does not pass"
    return f"passes for {', '.join(domains)}, {'' if is_aligned else 'not '}aligned"


def _record(answer: Answer, name: str, start: str) -> str:
    """The TXT record of that name that begins so, if it is one alone."""
    found = answer(name, "TXT") if name else None
    records = [text for text in found.answers if text.startswith(start)] if found is not None else []
    return records[0] if len(records) == 1 else ""
