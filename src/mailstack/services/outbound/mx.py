"""Which hosts take mail for a domain, in the order to try them. RFC 5321 §5.1, RFC 7505 (null MX)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import TryAgainLater
from mailstack.ports.resolver import MailExchanger, Resolver

MAX_EXCHANGERS = 10


@dataclass(frozen=True, slots=True)
class Hosts:
    names: tuple[str, ...]


async def exchangers(
    resolver: Resolver, domain: str, *, own_host: str, token: Callable[[int], bytes]
) -> Hosts | SmtpReply:
    """A reply where there is nobody to ask: 4yz for now, 5yz for good. domain: A-labels, or an address literal."""
    if domain.startswith("["):
        return Hosts((_literal(domain),))
    try:
        found = await resolver.mail_exchangers(domain)
        if not found:
            return await _implicit(resolver, domain, own_host)
    except TryAgainLater as fault:
        return SmtpReply(code=451, status="4.4.3", text=fault.detail)
    real = [exchanger for exchanger in found if exchanger.host]
    if not real:
        # RFC 7505 §3, §4.2: the domain says itself that it takes no mail.
        return SmtpReply(code=556, status="5.1.10", text=f"{domain} accepts no mail")
    usable = _below_own(real, own_host)
    if not usable:
        # RFC 5321 §5.1: we are the best exchanger and do not know the domain: sending it on would come back.
        return SmtpReply(code=554, status="5.4.6", text=f"mail for {domain} loops back to this server")
    # RFC 5321 §5.1: by preference, and in random order among equals, to spread the load.
    ordered = sorted(usable, key=lambda exchanger: (exchanger.preference, token(8)))
    return Hosts(tuple(exchanger.host for exchanger in ordered[:MAX_EXCHANGERS]))


async def _implicit(resolver: Resolver, domain: str, own_host: str) -> Hosts | SmtpReply:
    if domain == own_host:
        return SmtpReply(code=554, status="5.4.6", text=f"mail for {domain} loops back to this server")
    # RFC 5321 §5.1: without an MX, the domain's own address records stand for one of preference 0.
    if await resolver.addresses(domain):
        return Hosts((domain,))
    return SmtpReply(code=550, status="5.1.2", text=f"{domain} does not exist or has no mail server")


def _below_own(found: Sequence[MailExchanger], own_host: str) -> list[MailExchanger]:
    own = [exchanger.preference for exchanger in found if exchanger.host == own_host]
    # RFC 5321 §5.1: those of our own preference and worse are dropped, or two servers would play mail back and forth.
    return [exchanger for exchanger in found if not own or exchanger.preference < min(own)]


def _literal(domain: str) -> str:
    inner = domain.strip("[]")
    return inner[5:] if inner[:5].lower() == "ipv6:" else inner  # RFC 5321 §4.1.3
