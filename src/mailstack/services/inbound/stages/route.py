"""DATA: what goes where: trace fields and what the checks found on top, and one letter for each way.

What claims to be our finding of its sender and came with the mail is left out, whoever brought it; of mail that is
scored here, so is another's score. RFC 5321 §4.4, RFC 8601 §4, §5.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mailstack.formats.authres import claimed_fields, write_results
from mailstack.formats.spam_fields import claimed_spam_fields, write_spam_fields
from mailstack.formats.xtext import encode_xtext
from mailstack.model.principal import Account
from mailstack.services.inbound.deliver import Letter, Shipment
from mailstack.services.inbound.mail import InboundMail, Recipient, Routed
from mailstack.services.inbound.recipients import Resolution, by_target, merge, own_paths
from mailstack.services.inbound.stages.lists import posted_of
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.success import Addressed
from mailstack.services.inbound.trace import received_field


async def route(receiving: Receiving, mail: InboundMail) -> InboundMail:
    addressed = [
        _addressed(recipient, recipient.resolution) for recipient in mail.recipients if recipient.resolution is not None
    ]
    letter = _letter(receiving, mail, addressed)
    to = addressed[0].resolution if len(addressed) == 1 else merge(each.resolution for each in addressed)
    shipments = await receiving.forwarding.shipments(letter, to, mail.authentication)
    shipments = list(_by_form(shipments, letter, mail))
    if to.lists:
        shipments += await receiving.lists.shipments(letter, to, posted_of(receiving, mail))
    is_suspicious = letter.is_suspicious or any(judged.is_junk for judged in mail.judged.values())
    whole = replace(letter, is_suspicious=is_suspicious) if is_suspicious else letter
    return replace(mail, routed=Routed(letter=whole, addressed=addressed, shipments=shipments))


def _by_form(shipments: Iterable[Shipment], letter: Letter, mail: InboundMail) -> Iterator[Shipment]:
    """What it scores for an account is on top of what that gets, and no other sees it."""
    for shipment in shipments:
        if shipment.letter is not letter or not mail.judged:
            yield shipment
            continue
        forms: dict[tuple[bytes, bool], list[Account]] = {}
        for account in shipment.accounts:
            forms.setdefault(_form(mail, account), []).append(account)
        if shipment.external:
            yield Shipment(letter=letter, external=shipment.external)
        for (fields, is_suspicious), accounts in forms.items():
            form = replace(letter, received=fields + letter.received, is_suspicious=is_suspicious, judged=mail.judged)
            yield Shipment(letter=form, accounts=accounts)


def _form(mail: InboundMail, account: Account) -> tuple[bytes, bool]:
    judged = mail.judged.get(account.account_id)
    if judged is None:
        return b"", mail.is_suspicious
    is_junk = judged.is_junk or mail.is_suspicious
    return write_spam_fields(judged.score, is_junk=is_junk), is_junk


def _left_out(receiving: Receiving, mail: InboundMail) -> Sequence[tuple[int, int]]:
    results = claimed_fields(mail.raw, receiving.hostname)
    return sorted((*results, *claimed_spam_fields(mail.raw))) if mail.judged else results


def _letter(receiving: Receiving, mail: InboundMail, addressed: Sequence[Addressed]) -> Letter:
    hop = mail.hop(receiving.hostname)
    return Letter(
        reverse_path=mail.reverse_path,
        peer_host=mail.peer_host,
        raw=mail.raw,
        received=results_field(receiving, mail)
        + received_field(hop, recipient=mail.recipients[0].text if len(mail.recipients) == 1 else None),
        received_at=mail.received_at,
        is_8bit=mail.is_8bit,
        smtp_utf8=mail.smtp_utf8,
        trace_id=mail.trace_id,
        left_out=_left_out(receiving, mail),
        is_suspicious=mail.is_suspicious,
        handling=mail.handling,
        notifications=by_target((each.notification, each.resolution) for each in addressed),
        authentication=mail.authentication,
        paths=own_paths((each.path, each.resolution) for each in addressed),
    )


def _addressed(recipient: Recipient, resolution: Resolution) -> Addressed:
    notification = recipient.notification
    is_plain = recipient.text.isascii() and recipient.text.isprintable()
    if resolution.onward and is_plain and not notification.original_recipient:
        # RFC 3461 §5.2.1: it may be added, and is what RCPT had. Deviates: §6.3 (d) would have notices of ours leave it
        # out then, but who wrote there knows no other address.
        notification = replace(notification, original_recipient=f"rfc822;{encode_xtext(recipient.text)}")
    return Addressed(path=recipient.text, notification=notification, resolution=resolution)


def results_field(receiving: Receiving, mail: InboundMail) -> bytes:
    if mail.authentication is None:
        return b""
    return write_results(receiving.hostname, mail.authentication, peer_host=mail.peer_host, mail_from=mail.reverse_path)
