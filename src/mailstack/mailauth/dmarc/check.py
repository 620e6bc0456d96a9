"""Does the author's domain stand behind a mail, by a signature or by its envelope. RFC 9989 §4.10, §5.3.

As few questions as that takes: whose record is found at its own name, and who sends in that name, costs one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from mailstack.mailauth.dmarc.author import Author
from mailstack.mailauth.dmarc.record import DmarcRecord, PublicSuffix
from mailstack.mailauth.orgdomain import Found, organizational_domain, walk
from mailstack.model.errors import TryAgainLater
from mailstack.model.verdict import (
    DkimResult,
    DkimVerdict,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    SpfResult,
    SpfVerdict,
)
from mailstack.ports.resolver import Resolver

_LEVELS = (DmarcPolicy.NONE, DmarcPolicy.QUARANTINE, DmarcPolicy.REJECT)
# RFC 9989 §4.7: t=y asks for one level less than the policy says.
_IN_TESTS = {DmarcPolicy.REJECT: DmarcPolicy.QUARANTINE, DmarcPolicy.QUARANTINE: DmarcPolicy.NONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the author's domain asks for, before anything else of the mail is known. verdict: of a mail for which
    nothing passes; without a record, of every mail."""

    verdict: DmarcVerdict
    record: DmarcRecord | None = None


async def published(resolver: Resolver, author: Author) -> Published:
    """To be asked beside SPF and DKIM and not after them: else names that never answer, in a signature or a path, would
    use up the time that the author's domain needs, and be a way past every policy. Never raises."""
    if not author.domain:
        result = DmarcResult.PERMERROR if author.fault else DmarcResult.NONE
        return Published(verdict=DmarcVerdict(result=result, reason=author.fault or "no address in From"))
    try:
        return await _published(resolver, author.domain)
    except TryAgainLater:
        reason = "DNS does not answer for the From domain"
        return Published(verdict=DmarcVerdict(result=DmarcResult.TEMPERROR, from_domain=author.domain, reason=reason))


async def check(resolver: Resolver, found: Published, spf: SpfVerdict, dkim: Sequence[DkimVerdict]) -> DmarcVerdict:
    """spf: of MAIL FROM. Never raises for what a stranger wrote."""
    record, verdict = found.record, found.verdict
    if record is None:
        return verdict
    alignment = _Alignment(resolver, verdict.from_domain, verdict.organizational_domain)
    try:
        has_spf, has_dkim = await _passes(alignment, record, spf, dkim)
        if has_spf or has_dkim:
            return replace(
                verdict,
                result=DmarcResult.PASS,
                policy=DmarcPolicy.NONE,
                reason="",
                has_spf=has_spf,
                has_dkim=has_dkim,
            )
        if not await _may_pass_later(alignment, record, spf, dkim):
            return verdict
    except TryAgainLater:
        return replace(verdict, result=DmarcResult.TEMPERROR, reason="DNS does not answer for who sends in its name")
    return replace(verdict, result=DmarcResult.TEMPERROR, reason="DNS does not answer for SPF or DKIM")


async def _published(resolver: Resolver, domain: str) -> Published:
    found = await walk(resolver, domain)
    organization = organizational_domain(domain, found)
    verdict = partial(DmarcVerdict, from_domain=domain, organizational_domain=organization)
    applied = _applied(organization, domain, found)
    if applied is None:
        reason = "the From domain has no DMARC record"
        return Published(verdict=verdict(result=DmarcResult.NONE, reason=reason))
    verdict = partial(verdict, policy_domain=applied.domain, is_testing=applied.record.is_testing)
    if not applied.record.is_usable:
        reason = "the DMARC record names no policy that there is"
        return Published(verdict=verdict(result=DmarcResult.PERMERROR, reason=reason))
    try:
        policy = await _policy(resolver, domain, applied)
    except TryAgainLater:
        # Still a pass where the mail passes.
        policy = max(applied.record.subdomains, applied.record.nonexistent, key=_LEVELS.index)
        reason = "DNS does not say whether the From domain exists"
        return Published(
            verdict=verdict(result=DmarcResult.TEMPERROR, policy=policy, reason=reason), record=applied.record
        )
    return Published(verdict=verdict(result=DmarcResult.FAIL, policy=policy), record=applied.record)


async def _passes(
    alignment: "_Alignment", record: DmarcRecord, spf: SpfVerdict, dkim: Sequence[DkimVerdict]
) -> tuple[bool, bool]:
    """By SPF, and by a signature."""
    has_spf = spf.result is SpfResult.PASS and await alignment.holds(spf.domain, record.has_strict_spf)
    for signature in dkim:
        if signature.result is DkimResult.PASS and await alignment.holds(signature.domain, record.has_strict_dkim):
            return has_spf, True
    return has_spf, False


def _applied(organization: str, domain: str, found: Sequence[Found]) -> Found | None:
    """RFC 9989 §4.10.1: the author domain's own record, else the organizational domain's, else the public suffix's."""
    by_domain = {item.domain: item for item in found}
    own = by_domain.get(domain) or by_domain.get(organization)
    if own is not None:
        return own
    return next((item for item in found if item.record.public_suffix is PublicSuffix.YES), None)


async def _policy(resolver: Resolver, domain: str, applied: Found) -> DmarcPolicy:
    record = applied.record
    policy = record.policy
    if applied.domain != domain:
        policy = record.subdomains
        if record.nonexistent is not policy and not await _exists(resolver, domain):
            policy = record.nonexistent
    return _IN_TESTS.get(policy, policy) if record.is_testing else policy


async def _exists(resolver: Resolver, domain: str) -> bool:
    # Deviates: RFC 9989 §4.7 means names for which DNS answers NXDOMAIN; an answer here says only that a type has no
    # records, so a name without addresses and mail servers does not exist. As it was before RFC 9989.
    return bool(await resolver.mail_exchangers(domain) or await resolver.addresses(domain))


async def _may_pass_later(
    alignment: "_Alignment", record: DmarcRecord, spf: SpfVerdict, dkim: Sequence[DkimVerdict]
) -> bool:
    """RFC 9989 §5.3.6: what failed for the moment cannot be told to have failed; but only of what would count. Else a
    signature of a domain whose DNS never answers would be a way past every policy."""
    if spf.result is SpfResult.TEMPERROR and await alignment.holds(spf.domain, record.has_strict_spf):
        return True
    for signature in dkim:
        if signature.result is DkimResult.TEMPERROR and await alignment.holds(signature.domain, record.has_strict_dkim):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Alignment:
    """RFC 9989 §4.4: whether an identifier speaks for the author domain."""

    resolver: Resolver
    domain: str
    organization: str

    async def holds(self, identifier: str, is_strict: bool) -> bool:
        """identifier: a domain that was authenticated."""
        identifier = identifier.lower().rstrip(".")
        if identifier == self.domain:
            return True
        # What is not in the organizational domain cannot have it for its own, so its DNS is not asked.
        is_inside = f".{identifier}".endswith(f".{self.organization}")
        if is_strict or not is_inside:
            return False
        found = await walk(self.resolver, identifier)
        return organizational_domain(identifier, found) == self.organization
