"""DATA: the last stage: trace fields and what the checks found on top, then into every mailbox or the queue.

What claims to be our finding and came with the mail is left out, whoever brought it. RFC 5321 §4.4, RFC 8601 §4, §5.
"""

from mailstack.formats.authres import claimed_fields, write_results
from mailstack.services.inbound.deliver import Letter
from mailstack.services.inbound.mail import Accept, InboundMail
from mailstack.services.inbound.recipients import by_target, merge
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.success import Addressed, as_trusted, tell_of_success
from mailstack.services.inbound.trace import Hop, received_field


async def deliver(receiving: Receiving, mail: InboundMail) -> Accept:
    """Raises what Delivery.deliver does."""
    hop = Hop(
        hostname=receiving.hostname,
        ehlo_domain=mail.ehlo_domain,
        peer_host=mail.peer_host,
        protocol=mail.protocol,
        trace_id=mail.trace_id,
        received_at=mail.received_at,
    )
    addressed = [
        Addressed(
            path=recipient.text,
            notification=as_trusted(recipient.notification, mail.authentication),
            resolution=recipient.resolution,
        )
        for recipient in mail.recipients
        if recipient.resolution is not None
    ]
    letter = Letter(
        reverse_path=mail.reverse_path,
        recipients=[recipient.text for recipient in mail.recipients],
        peer_host=mail.peer_host,
        raw=mail.raw,
        received=_results_field(receiving, mail)
        + received_field(hop, recipient=mail.recipients[0].text if len(mail.recipients) == 1 else None),
        received_at=mail.received_at,
        is_8bit=mail.is_8bit,
        smtp_utf8=mail.smtp_utf8,
        trace_id=mail.trace_id,
        left_out=claimed_fields(mail.raw, receiving.hostname),
        is_suspicious=mail.is_suspicious,
        handling=mail.handling,
        notifications=by_target((each.notification, each.resolution) for each in addressed),
    )
    to = addressed[0].resolution if len(addressed) == 1 else merge(each.resolution for each in addressed)
    stored = await receiving.delivery.deliver(letter, to)
    await tell_of_success(receiving.delivery, letter, addressed, stored, hostname=receiving.hostname)
    return Accept()


def _results_field(receiving: Receiving, mail: InboundMail) -> bytes:
    if mail.authentication is None:
        return b""
    return write_results(receiving.hostname, mail.authentication, peer_host=mail.peer_host, mail_from=mail.reverse_path)
