"""May a mail go on from here to others elsewhere: what the checks of its sender say of that.

Mail that failed them would have others refuse what we send, or believe it of us.
"""

from collections.abc import Collection
from typing import Protocol

from mailstack.model.address import domain_key
from mailstack.model.delivery import NULL_PATH
from mailstack.model.verdict import Authentication, DkimResult, DmarcPolicy, DmarcResult, SpfResult
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.vouched import is_vouched_for


class Sent(Protocol):
    """A mail as far as its sender is concerned: InboundMail and Letter are such."""

    @property
    def reverse_path(self) -> str: ...

    @property
    def authentication(self) -> Authentication | None: ...

    @property
    def is_suspicious(self) -> bool: ...


def is_path_forged(mail: Sent) -> bool:
    """Would a target's refusal come back to somebody who has not sent it: its domain says so, and nothing else speaks
    for the mail. RFC 7208 §8.4."""
    found = mail.authentication
    if found is None or mail.reverse_path == NULL_PATH or found.mail_from.result is not SpfResult.FAIL:
        return False
    is_signed = any(verdict.result is DkimResult.PASS for verdict in found.dkim)
    return not (is_signed or found.dmarc.result is DmarcResult.PASS or is_vouched_for(found))


def is_distrusted(mail: Sent) -> bool:
    found = mail.authentication
    if mail.is_suspicious or found is None:
        return mail.is_suspicious
    # Where receiving takes such mail, its targets may not, and it is we who would be refused.
    is_failed = found.dmarc.result is DmarcResult.FAIL and found.dmarc.policy is not DmarcPolicy.NONE
    return is_failed and not is_vouched_for(found)


async def own_names(forwarding: Forwarding, mail: Sent) -> tuple[str, ...]:
    """For which SPF passes elsewhere, besides the domain of the address: ours in EHLO, as the null path has it checked
    (RFC 7208 §2.4), and the sender's, where it is one of ours and stays."""
    sender = mail.reverse_path.rpartition("@")[2]
    is_ours = await forwarding.is_ours(sender)
    return (forwarding.hostname, domain_key(sender)) if is_ours else (forwarding.hostname,)


def is_laundering(mail: Sent, address: str, names: Collection[str]) -> bool:
    """Would SPF pass elsewhere, and so DMARC, for a From of our own that fails here, whatever its policy. address: that
    sends the mail on.

    RFC 9989 §4.4: in relaxed alignment, for all domains of one organization.
    """
    found = mail.authentication
    if found is None or found.dmarc.result in (DmarcResult.PASS, DmarcResult.NONE) or is_vouched_for(found):
        return False
    organization = found.dmarc.organizational_domain or found.dmarc.from_domain
    domains = (address.rpartition("@")[2], *names)
    return not organization or any(f".{domain}".endswith(f".{organization}") for domain in domains)
