"""DATA: what goes where: trace fields and what the checks found on top, and one letter for each way.

What claims to be our finding and came with the mail is left out, whoever brought it. RFC 5321 §4.4, RFC 8601 §4, §5.
"""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.formats.authres import claimed_fields, write_results
from mailstack.formats.xtext import encode_xtext
from mailstack.services.inbound.deliver import Letter
from mailstack.services.inbound.mail import InboundMail, Recipient, Routed
from mailstack.services.inbound.recipients import Resolution, by_target, merge, own_paths
from mailstack.services.inbound.stages.lists import posted_of
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.success import Addressed
from mailstack.services.inbound.trace import Hop, received_field


async def route(receiving: Receiving, mail: InboundMail) -> InboundMail:
    addressed = [
        _addressed(recipient, recipient.resolution) for recipient in mail.recipients if recipient.resolution is not None
    ]
    letter = _letter(receiving, mail, addressed)
    to = addressed[0].resolution if len(addressed) == 1 else merge(each.resolution for each in addressed)
    shipments = await receiving.forwarding.shipments(letter, to, mail.authentication)
    if to.lists:
        shipments += await receiving.lists.shipments(letter, to, posted_of(receiving, mail))
    return replace(mail, routed=Routed(letter=letter, addressed=addressed, shipments=shipments))


def hop_of(hostname: str, mail: InboundMail) -> Hop:
    """hostname: ours."""
    return Hop(
        hostname=hostname,
        ehlo_domain=mail.ehlo_domain,
        peer_host=mail.peer_host,
        protocol=mail.protocol,
        trace_id=mail.trace_id,
        received_at=mail.received_at,
        peer_name="" if mail.authentication is None else mail.authentication.iprev.name,
    )


def _letter(receiving: Receiving, mail: InboundMail, addressed: Sequence[Addressed]) -> Letter:
    hop = hop_of(receiving.hostname, mail)
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
        left_out=claimed_fields(mail.raw, receiving.hostname),
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
