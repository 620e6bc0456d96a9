"""Junk that may neither go on nor be refused: it lies in the Junk of whoever looks after its address.

It is refused wherever it can be, so that its sender hears of it. But there is one reply for all recipients, and whoever
is always reached may be among them (RFC 5321 §4.5.1); and our backups, who have taken it in, would have to send a
notice to whoever it names. RFC 5321 §6.2: to drop mail takes great care, so that is done to what nobody here can keep.
"""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from mailstack.model.address import Address, parse_address
from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.handling import Notification
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.services.inbound.mail import InboundMail, Recipient
from mailstack.services.inbound.recipients import resolve
from mailstack.services.inbound.stages.receiving import Receiving

SILENT = Notification(notify_on=frozenset())

log = structlog.get_logger()


async def kept_by_keepers(
    receiving: Receiving, mail: InboundMail, recipient: Recipient, *, at: Sequence[Address], spam: Judged
) -> InboundMail:
    """recipient: of the mail, without those who must not get it. at: where the keepers are reached. Its sender hears
    nothing of it."""
    left = recipient.resolution
    if left is None:
        return mail
    keepers = [keeper for address in at for keeper in await _keepers(receiving, address)]
    what = "junk kept" if keepers else "junk dropped"
    log.info(what, trace=mail.trace_id, address=recipient.address.key, accounts=[each.login for each in keepers])
    accounts = {account.account_id: account for account in (*left.accounts, *keepers)}
    verdicts: dict[AccountId | None, Judged] = {account.account_id: spam for account in keepers}
    kept = Recipient(
        address=recipient.address,
        text=recipient.text,
        resolution=replace(left, accounts=tuple(accounts.values())),
        notification=recipient.notification if left.accounts or left.leaves else SILENT,
    )
    recipients = tuple(kept if each is recipient else each for each in mail.recipients)
    return replace(mail.to(recipients), judged={**verdicts, **mail.judged})


async def _keepers(receiving: Receiving, at: Address) -> Sequence[Account]:
    """Those who are there; else an administrator."""
    found = await _accounts_at(receiving, at)
    admin = receiving.forwarding.postmaster
    return await _accounts_at(receiving, parse_address(admin)) if not found and admin is not None else found


async def _accounts_at(receiving: Receiving, at: Address) -> Sequence[Account]:
    """Also those who send their mail on and keep no copy."""
    try:
        found = await resolve(receiving.accounts, at, postmaster=receiving.forwarding.postmaster)
    except (NotFound, Forbidden):
        return ()
    return (*found.accounts, *(onward.owner for onward in found.onward if onward.owner is not None))
