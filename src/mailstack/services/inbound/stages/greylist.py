"""RCPT: who is not known, and looks like no mail server, is asked to come again. RFC 6647 §2.4, RFC 5321 §4.5.1."""

import asyncio

from mailstack.mailauth import iprev
from mailstack.mailauth.spf import check as spf
from mailstack.model.instant import MINUTE_MS
from mailstack.model.verdict import IprevResult, SpfResult
from mailstack.services.inbound.gate import Gate
from mailstack.services.inbound.mail import Defer, InboundMail, Reason
from mailstack.services.inbound.stages.dns_budget import DnsBudget
from mailstack.services.inbound.stages.receiving import Receiving


async def greylist(receiving: Receiving, mail: InboundMail) -> InboundMail | Defer:
    gate = receiving.gate
    if gate is None or gate.greylisting is None or mail.peer_host in gate.trusted:
        return mail
    suspicion = "everybody" if gate.greylists_all else await _suspicion(gate, receiving.hostname, mail)
    if not suspicion:
        return mail
    wait_ms = await gate.greylisting.wait_ms(mail.peer_host, mail.reverse_path, mail.recipients[-1].address.key)
    if not wait_ms:
        return mail
    minutes = -(-wait_ms // MINUTE_MS)
    return Defer(reason=Reason.GREYLISTED, detail=suspicion, told=f"in {minutes} minute{'s' if minutes > 1 else ''}")


async def _suspicion(gate: Gate, receiver: str, mail: InboundMail) -> str:
    """Of anything but a confirmed name and an SPF pass; DNS that fails, or is late, is in the hands of who sends."""
    resolver = DnsBudget(gate.resolver, deadline_s=gate.dns_deadline_s)
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
    if named.result is IprevResult.PASS and verdict.result is SpfResult.PASS:
        return ""
    return f"iprev={named.result.value}, spf={verdict.result.value}"
