"""RCPT: who is not known, and looks like no mail server, is asked to come again. RFC 6647 §2.4, RFC 5321 §4.5.1."""

import asyncio

from mailstack.mailauth import iprev
from mailstack.mailauth.spf import check as spf
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import MINUTE_MS
from mailstack.model.verdict import IprevResult, SpfResult
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.mail import Defer, InboundMail, Reason
from mailstack.services.inbound.stages.receiving import Receiving

LOOK_S = 10.0
"""For what DNS says of a sender; who is not answered for is as one for whom nothing is said."""


async def greylist(receiving: Receiving, mail: InboundMail) -> InboundMail | Defer:
    gate = receiving.gate
    if gate is None or gate.greylisting is None or mail.peer_host in gate.trusted:
        return mail
    if not gate.greylists_all and not await _is_suspicious(gate.resolver, receiving.hostname, mail):
        return mail
    wait_ms = await gate.greylisting.wait_ms(mail.peer_host, mail.reverse_path, mail.recipients[-1].address.key)
    if not wait_ms:
        return mail
    minutes = -(-wait_ms // MINUTE_MS)
    return Defer(reason=Reason.GREYLISTED, told=f"in {minutes} minute{'s' if minutes > 1 else ''}")


async def _is_suspicious(resolver: Resolver, receiver: str, mail: InboundMail) -> bool:
    """Anything but a confirmed name and an SPF pass; DNS that fails is in the hands of who sends."""
    try:
        async with asyncio.timeout(LOOK_S):
            named, verdict = await asyncio.gather(
                iprev.check(resolver, mail.peer_host),
                spf.check(
                    resolver,
                    peer=mail.peer_host,
                    helo=mail.ehlo_domain,
                    mail_from=mail.reverse_path,
                    receiver=receiver,
                    now=mail.received_at,
                ),
            )
    except (TimeoutError, TryAgainLater):
        return True
    return named.result is not IprevResult.PASS or verdict.result is not SpfResult.PASS
