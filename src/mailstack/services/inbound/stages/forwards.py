"""DATA: what must not go on from here: mail that has done so before, and mail whose sender failed the checks.

The first would go round in circles; the second would have others refuse what we send, or believe it of us. It stays
with the account that sends it on; where there is none, it is refused, for all its recipients if it has several: no
sender is left to believe that somebody got it who did not, and nobody gets a bounce who may not have sent it.
"""

from collections.abc import Collection
from dataclasses import replace

import structlog

from mailstack.model.address import domain_key
from mailstack.model.delivery import NULL_PATH
from mailstack.model.verdict import DkimResult, DmarcPolicy, DmarcResult, SpfResult
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.trace import passed_addresses
from mailstack.services.inbound.vouched import is_vouched_for

log = structlog.get_logger()


async def hold_back_forwards(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    if not any(recipient.resolution and recipient.resolution.onward for recipient in mail.recipients):
        return mail
    passed = passed_addresses(mail.raw)
    is_forged = _is_path_forged(mail)
    is_untrusted = is_forged or _is_untrusted(mail)
    names = await _own_names(receiving, mail)
    recipients = []
    for recipient in mail.recipients:
        found = recipient.resolution
        if found is None or not found.onward:
            recipients.append(recipient)
            continue
        circling = [onward for onward in found.onward if onward.address in passed]
        left = _without(found, circling)
        left = _kept_here(
            left, [onward for onward in left.onward if is_untrusted or _is_laundering(mail, onward, names)]
        )
        if not left.accounts and not left.leaves:
            reason = Reason.LOOP if circling else Reason.SPF if is_forged else Reason.NOT_FORWARDED
            return Reject(reason=reason, detail=recipient.address.key)
        _tell(mail, found, left, circling)
        recipients.append(replace(recipient, resolution=left))
    return mail.to(tuple(recipients))


def _is_path_forged(mail: InboundMail) -> bool:
    """Would a target's refusal come back to somebody who has not sent it: its domain says so, and nothing else speaks
    for the mail. RFC 7208 §8.4."""
    found = mail.authentication
    if found is None or mail.reverse_path == NULL_PATH or found.mail_from.result is not SpfResult.FAIL:
        return False
    is_signed = any(verdict.result is DkimResult.PASS for verdict in found.dkim)
    return not (is_signed or found.dmarc.result is DmarcResult.PASS or is_vouched_for(found))


def _is_untrusted(mail: InboundMail) -> bool:
    found = mail.authentication
    if mail.is_suspicious or found is None:
        return mail.is_suspicious
    # Where receiving takes such mail, its targets may not, and it is we who would be refused.
    is_failed = found.dmarc.result is DmarcResult.FAIL and found.dmarc.policy is not DmarcPolicy.NONE
    return is_failed and not is_vouched_for(found)


async def _own_names(receiving: Receiving, mail: InboundMail) -> tuple[str, ...]:
    """For which SPF passes elsewhere, besides the domain of the address: ours in EHLO, as the null path has it checked
    (RFC 7208 §2.4), and the sender's, where it is one of ours and stays."""
    sender = mail.reverse_path.rpartition("@")[2]
    is_ours = await receiving.forwarding.is_ours(sender)
    return (receiving.hostname, domain_key(sender)) if is_ours else (receiving.hostname,)


def _is_laundering(mail: InboundMail, onward: Onward, names: Collection[str]) -> bool:
    """Would SPF pass elsewhere, and so DMARC, for a From of our own that fails here, whatever its policy.

    RFC 9989 §4.4: in relaxed alignment, for all domains of one organization.
    """
    found = mail.authentication
    if found is None or found.dmarc.result in (DmarcResult.PASS, DmarcResult.NONE) or is_vouched_for(found):
        return False
    organization = found.dmarc.organizational_domain or found.dmarc.from_domain
    domains = (onward.address.rpartition("@")[2], *names)
    return not organization or any(f".{domain}".endswith(f".{organization}") for domain in domains)


def _without(found: Resolution, circling: Collection[Onward]) -> Resolution:
    return replace(found, onward=tuple(onward for onward in found.onward if onward not in circling))


def _kept_here(found: Resolution, untrusted: Collection[Onward]) -> Resolution:
    accounts = {account.account_id: account for account in found.accounts}
    accounts.update((each.owner.account_id, each.owner) for each in untrusted if each.owner is not None)
    return replace(_without(found, untrusted), accounts=tuple(accounts.values()))


def _tell(mail: InboundMail, found: Resolution, left: Resolution, circling: Collection[Onward]) -> None:
    for onward in found.onward:
        if onward not in left.onward:
            reason = "loop" if onward in circling else "the checks of its sender"
            log.info("not forwarded", trace=mail.trace_id, address=onward.address, reason=reason)
