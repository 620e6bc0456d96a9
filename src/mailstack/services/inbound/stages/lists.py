"""DATA: what is for a list is looked at before anything is stored: may it be posted, may its author leave."""

from mailstack.formats.authres import results_by
from mailstack.formats.headers import scan_fields
from mailstack.services.inbound.mail import Defer, InboundMail, Reject
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.lists.posting import Posted


async def refuse_for_lists(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject | Defer:
    at = [each for recipient in mail.recipients if recipient.resolution for each in recipient.resolution.lists]
    return (await receiving.lists.why_refused(at, posted_of(receiving, mail)) if at else None) or mail


def posted_of(receiving: Receiving, mail: InboundMail) -> Posted:
    policy = receiving.senders
    by_backup = results_by(mail.raw, policy.backups) if policy is not None and policy.backups else ()
    return Posted(
        fields=scan_fields(mail.raw),
        reverse_path=mail.reverse_path,
        authentication=mail.authentication,
        by_backup=by_backup or None,
        is_suspicious=mail.is_suspicious,
    )
