"""DATA: what follows from who sent it: taken, set apart, refused, or asked to come again. RFC 9989 §5.4, RFC 7208 §8.4.

DMARC speaks first: a pass outweighs a failed SPF, as forwarded mail has it. RFC 9989 §5.4 and §7.4 would have receivers
look further before they refuse: a sealer that the spec trusts may vouch for the mail, and lists that we know seal.
"""

from mailstack.formats.authres import results_by
from mailstack.model.verdict import ArcResult, Authentication, DmarcPolicy, DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Defer, InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy
from mailstack.services.inbound.vouched import is_vouched_for


async def judge(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject | Defer:
    policy, found = receiving.senders, mail.authentication
    if policy is not None and found is None:
        return mail.suspected() if _is_set_apart_by_a_backup(policy, mail) else mail
    if policy is None or found is None or found.dmarc.result is DmarcResult.PASS or is_vouched_for(found):
        return mail
    if policy.defers_without_dns and _is_unknown_for_now(policy, found):
        return Defer(reason=Reason.SENDER_UNKNOWN_NOW, detail=found.dmarc.reason or found.mail_from.reason)
    if policy.enforces_dmarc and (reason := _refusal(found.dmarc)) is not None:
        return _refused(found, reason, found.dmarc.reason or f"policy of {found.dmarc.policy_domain}")
    if policy.refuses_spf_fail and found.mail_from.result is SpfResult.FAIL:
        return _refused(found, Reason.SPF, f"{found.mail_from.domain}: {found.mail_from.mechanism}")
    is_set_apart = found.dmarc.result is DmarcResult.FAIL and found.dmarc.policy is DmarcPolicy.QUARANTINE
    return mail.suspected() if policy.enforces_dmarc and is_set_apart else mail


def _is_set_apart_by_a_backup(policy: SenderPolicy, mail: InboundMail) -> bool:
    """A backup of ours has judged it, and is trusted; SMTP has no words for what it found but the field that it wrote.

    Where we trust sealers, a seal is taken for one of theirs: who they are, the field does not say.
    """
    if not policy.backups or not policy.enforces_dmarc:
        return False
    found = results_by(mail.raw, policy.backups)
    is_sealed = any(seen.method == "arc" and seen.result == ArcResult.PASS.value for seen in found)
    return not (policy.trusted_sealers and is_sealed) and any(
        seen.method == "dmarc"
        and seen.result == DmarcResult.FAIL.value
        and seen.properties.get("policy.dmarc") == DmarcPolicy.QUARANTINE.value
        for seen in found
    )


def _refusal(dmarc: DmarcVerdict) -> Reason | None:
    if dmarc.result is DmarcResult.PERMERROR and not dmarc.from_domain:
        # RFC 9989 §5.3.1 leaves it to us: what shows an author whom nobody can check is no better than a forgery.
        return Reason.FROM_FIELD
    is_refused = dmarc.result is DmarcResult.FAIL and dmarc.policy is DmarcPolicy.REJECT
    return Reason.DMARC if is_refused else None


def _refused(found: Authentication, reason: Reason, detail: str) -> Reject | Defer:
    """Not for good where DNS might say otherwise another time; but neither taken, for whether it answers for the client
    is in the hands of who sends."""
    spf, author = found.mail_from, found.dmarc.organizational_domain
    is_asked_of_spf = reason is Reason.SPF or (reason is Reason.DMARC and f".{spf.domain}".endswith(f".{author}"))
    if spf.is_unsure and is_asked_of_spf:
        return Defer(reason=Reason.SENDER_UNKNOWN_NOW, detail=spf.reason)
    return Reject(reason=reason, detail=detail)


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
