"""RCPT: a full account is refused before its mail is sent. RFC 3463 §3.3 (X.2.2), RFC 1870 §6.1."""

from mailstack.model.errors import QuotaExceeded, TooLarge
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.inbound.stages.receiving import Receiving


async def refuse_full_account(receiving: Receiving, mail: InboundMail) -> InboundMail:
    """Raises QuotaExceeded, which passes once the owner has cleared up, or TooLarge, which never does.

    Only where one account alone receives: members of an alias that are full must not keep the mail from the others.
    """
    resolution = mail.recipients[-1].resolution
    if resolution is None or len(resolution.accounts) != 1 or resolution.leaves:
        return mail
    account = resolution.accounts[0]
    if account.quota_bytes is None:
        return mail
    if mail.size_bytes > account.quota_bytes:
        raise TooLarge(f"{mail.size_bytes} octets are more than the whole quota of {account.login}")
    used = await receiving.messages.used_bytes(account.account_id)
    if used + max(mail.size_bytes, 1) > account.quota_bytes:
        raise QuotaExceeded(f"{account.login} uses {used} of {account.quota_bytes} octets")
    return mail
