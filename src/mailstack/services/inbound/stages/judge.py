"""DATA: what follows from who sent it: taken, set apart, refused, or asked to come again. RFC 9989 §5.4, RFC 7208 §8.4.

DMARC speaks first: a pass outweighs a failed SPF, as forwarded mail has it. RFC 9989 §5.4 would have receivers look
further before they refuse: a sealer that the spec trusts may vouch for the mail, and lists that we know seal.
"""

from mailstack.formats.authres import read_results
from mailstack.model.verdict import ArcResult, Authentication, DmarcPolicy, DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Defer, InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy


async def judge(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject | Defer:
    policy, found = receiving.senders, mail.authentication
    if policy is None or found is None or found.dmarc.result is DmarcResult.PASS or _is_vouched_for(found):
        return mail
    if policy.defers_without_dns and _is_unknown_for_now(policy, found):
        return Defer(reason=Reason.SENDER_UNKNOWN_NOW, detail=found.dmarc.reason or found.mail_from.reason)
    if policy.enforces_dmarc and (reason := _refusal(found.dmarc)) is not None:
        return Reject(reason=reason, detail=found.dmarc.reason or f"policy of {found.dmarc.policy_domain}")
    if policy.refuses_spf_fail and found.mail_from.result is SpfResult.FAIL:
        return Reject(reason=Reason.SPF, detail=f"{found.mail_from.domain}: {found.mail_from.mechanism}")
    is_set_apart = found.dmarc.result is DmarcResult.FAIL and found.dmarc.policy is DmarcPolicy.QUARANTINE
    return mail.suspected() if policy.enforces_dmarc and is_set_apart else mail


def _refusal(dmarc: DmarcVerdict) -> Reason | None:
    if dmarc.result is DmarcResult.PERMERROR and not dmarc.from_domain:
        # RFC 9989 §5.3.1 leaves it to us: what shows an author whom nobody can check is no better than a forgery.
        return Reason.FROM_FIELD
    is_refused = dmarc.result is DmarcResult.FAIL and dmarc.policy is DmarcPolicy.REJECT
    return Reason.DMARC if is_refused else None


def _is_unknown_for_now(policy: SenderPolicy, found: Authentication) -> bool:
    """Would it be another decision if DNS answered."""
    dmarc = found.dmarc
    # RFC 9989 §5.4: a policy of none changes nothing, so nothing is waited for.
    is_asked_of_dmarc = not dmarc.policy_domain or dmarc.policy is not DmarcPolicy.NONE
    if policy.enforces_dmarc and dmarc.result is DmarcResult.TEMPERROR and is_asked_of_dmarc:
        return True
    # A sealer that the spec trusts may yet vouch for it.
    if policy.enforces_dmarc and policy.trusted_sealers and found.arc.is_temporary and is_asked_of_dmarc:
        return True
    return policy.refuses_spf_fail and found.mail_from.result is SpfResult.TEMPERROR


def _is_vouched_for(found: Authentication) -> bool:
    """RFC 8617 §7.2.1: has a sealer whom the spec trusts seen DMARC pass for the same author."""
    if found.arc.result is not ArcResult.PASS or not found.arc.trusted_results or not found.dmarc.from_domain:
        return False
    return any(
        seen.method == "dmarc"
        and seen.result == DmarcResult.PASS.value
        and seen.properties.get("header.from", "").lower() == found.dmarc.from_domain
        for seen in read_results(found.arc.trusted_results)
    )
