"""DATA: the scripts of all who would get the mail; where all refuse it, its sender hears so while connected.

RFC 5429 §2.1: refusing within the transaction is best, for no notice can go astray. Who has no say here is a mail that
goes on elsewhere or to a list as well, of which somebody wants it.
"""

from dataclasses import replace
from textwrap import wrap

from mailstack.model.ids import AccountId
from mailstack.services.inbound.deliver import LARGE_BYTES, Shipment
from mailstack.services.inbound.filter.verdict import Verdict
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.sieve.actions import Refusal
from mailstack.sieve.actions import Reject as Refused

MAX_LINE, MAX_TOLD = 400, 2_000
REFUSED = "by the recipient's mail filter"


async def ask_filters(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    routed = mail.ways
    shipments = [await _asked(receiving, shipment) for shipment in routed.shipments]
    asked = sum(len(shipment.accounts) for shipment in shipments)
    found = [verdict for shipment in shipments for verdict in shipment.letter.verdicts.values()]
    refusals = [verdict.refusal for verdict in found if verdict is not None and verdict.refusal is not None]
    goes_elsewhere = any(shipment.external or shipment.queued_as is not None for shipment in shipments)
    is_refused_by_all = len(refusals) == asked > 0 and not goes_elsewhere and not _is_for_lists(mail)
    if is_refused_by_all and (told := _told(refusals)) is not None:
        return Reject(reason=Reason.FILTER, told=told)
    return replace(mail, routed=replace(routed, shipments=shipments))


async def _asked(receiving: Receiving, shipment: Shipment) -> Shipment:
    if not shipment.accounts:
        return shipment
    letter = shipment.letter
    verdicts: dict[AccountId, Verdict | None] = {}
    for account in shipment.accounts:
        verdict = await receiving.delivery.verdict(letter, account)
        # Copies of a large mail, each edited in another way, are more than memory holds: they are made when stored.
        if verdict is None or verdict.octets <= LARGE_BYTES:
            verdicts[account.account_id] = verdict
    return replace(shipment, letter=replace(letter, verdicts=verdicts))


def _is_for_lists(mail: InboundMail) -> bool:
    return any(recipient.resolution is not None and recipient.resolution.lists for recipient in mail.recipients)


def _told(refusals: list[Refused]) -> str | None:
    """Their reasons, each once; None where a reply cannot hold them, so that a notice must say it."""
    reasons = list(dict.fromkeys(refusal.reason.strip() for refusal in refusals))
    # RFC 5429 §2.5: a reason of several lines is a reply of several lines.
    lines = [part for reason in reasons for line in reason.splitlines() for part in wrap(line, MAX_LINE)]
    text = ("\n" if len(lines) > 1 else " ").join([f"{REFUSED}:", *lines]) if lines else REFUSED
    if text.replace("\n", "").isprintable() and text.isascii() and len(text) <= MAX_TOLD:
        return text
    # RFC 5429 §2.1.2, §2.2: a text that a reply cannot hold is the sender's to read all the same, but for ereject,
    # which would rather refuse.
    return REFUSED if all(refusal.kind is Refusal.EREJECT for refusal in refusals) else None
