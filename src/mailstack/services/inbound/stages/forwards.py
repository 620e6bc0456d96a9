"""DATA: what must not go on from here: mail that has done so before, mail whose sender failed the checks, and spam.

The first would go round in circles; the others would have others refuse what we send, or believe it of us. It stays
with the account that sends it on; where there is none, it is refused, for all its recipients if it has several: no
sender is left to believe that somebody got it who did not, and nobody gets a bounce who may not have sent it.
"""

from collections.abc import Collection
from dataclasses import replace

import structlog

from mailstack.model.address import Address
from mailstack.model.spam import Judged
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.recipients import POSTMASTER, Onward, Resolution
from mailstack.services.inbound.stages.keepers import kept_by_keepers
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.stages.score import may_be_refused, refused_as_spam
from mailstack.services.inbound.trace import passed_addresses
from mailstack.services.inbound.trust import is_distrusted, is_laundering, is_path_forged, own_names

log = structlog.get_logger()


async def hold_back_forwards(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    if not any(recipient.resolution and recipient.resolution.onward for recipient in mail.recipients):
        return mail
    passed = passed_addresses(mail.raw)
    is_forged = is_path_forged(mail)
    is_untrusted = is_forged or is_distrusted(mail)
    names = await own_names(receiving.forwarding, mail)
    recipients, homeless = [], []
    for recipient in mail.recipients:
        found = recipient.resolution
        if found is None or not found.onward:
            recipients.append(recipient)
            continue
        circling = [onward for onward in found.onward if onward.address in passed]
        left = _without(found, circling)
        left = _kept_here(
            left,
            [
                onward
                for onward in left.onward
                if is_untrusted or _is_junk(mail, onward) or is_laundering(mail, onward.address, names)
            ],
        )
        if not left.accounts and not left.leaves:
            spam = None if circling or is_untrusted else _junk_in(mail, found)
            if spam is None:
                reason = Reason.LOOP if circling else Reason.SPF if is_forged else Reason.NOT_FORWARDED
                return Reject(reason=reason, detail=recipient.address.key)
            if may_be_refused(receiving, mail):
                return refused_as_spam(mail, spam)
            homeless.append((len(recipients), spam))
        _tell(mail, found, left, circling)
        recipients.append(replace(recipient, resolution=left))
    mail = mail.to(tuple(recipients))
    for place, spam in homeless:
        recipient = mail.recipients[place]
        postmaster = Address(local_part=POSTMASTER, domain=recipient.address.domain)
        mail = await kept_by_keepers(receiving, mail, recipient, at=[postmaster], spam=spam)
    return mail


def _junk_in(mail: InboundMail, found: Resolution) -> Judged | None:
    verdicts = map(mail.verdict_of, found.onward)
    return next((verdict for verdict in verdicts if verdict is not None and verdict.is_junk), None)


def _is_junk(mail: InboundMail, onward: Onward) -> bool:
    """What is junk here would have others take us for its sender."""
    verdict = mail.verdict_of(onward)
    return verdict is not None and verdict.is_junk


def _without(found: Resolution, circling: Collection[Onward]) -> Resolution:
    return replace(found, onward=tuple(onward for onward in found.onward if onward not in circling))


def _kept_here(found: Resolution, untrusted: Collection[Onward]) -> Resolution:
    accounts = {account.account_id: account for account in found.accounts}
    accounts.update((each.owner.account_id, each.owner) for each in untrusted if each.owner is not None)
    return replace(_without(found, untrusted), accounts=tuple(accounts.values()))


def _tell(mail: InboundMail, found: Resolution, left: Resolution, circling: Collection[Onward]) -> None:
    for onward in found.onward:
        if onward not in left.onward:
            is_junk = _is_junk(mail, onward)
            reason = "loop" if onward in circling else "it is junk" if is_junk else "the checks of its sender"
            log.info("not forwarded", trace=mail.trace_id, address=onward.address, reason=reason)
