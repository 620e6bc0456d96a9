"""Which hosts take mail for a domain, in the order to try them. RFC 5321 §5.1, RFC 7505 (null MX)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import TryAgainLater
from mailstack.ports.resolver import Answer, HostResolver, MailExchanger

MAX_EXCHANGERS = 10


@dataclass(frozen=True, slots=True)
class Hosts:
    """found: what DNS says they are; None where nobody was asked."""

    names: tuple[str, ...]
    found: Answer[MailExchanger] | None = None


async def exchangers(
    resolver: HostResolver, domain: str, *, own_host: str, token: Callable[[int], bytes]
) -> Hosts | SmtpReply:
    """A reply where there is nobody to ask: 4yz for now, 5yz for good. domain: A-labels, or an address literal."""
    if domain.startswith("["):
        return Hosts((_literal(domain),))
    try:
        found = await resolver.exchangers_answer(domain)
        if not found.values:
            return await _implicit(resolver, domain, own_host, found)
    except TryAgainLater as fault:
        return SmtpReply(code=451, status="4.4.3", text=fault.detail)
    real = [exchanger for exchanger in found.values if exchanger.host]
    if not real:
        # RFC 7505 §3, §4.2: the domain says itself that it takes no mail.
        return SmtpReply(code=556, status="5.1.10", text=f"{domain} accepts no mail")
    usable = _below_own(real, own_host)
    if not usable:
        # RFC 5321 §5.1: we are the best exchanger and do not know the domain: sending it on would come back.
        return SmtpReply(code=554, status="5.4.6", text=f"mail for {domain} loops back to this server")
    # RFC 5321 §5.1: by preference, and in random order among equals, to spread the load.
    ordered = sorted(usable, key=lambda exchanger: (exchanger.preference, token(8)))
    return Hosts(tuple(exchanger.host for exchanger in ordered[:MAX_EXCHANGERS]), found)


def best_hosts(domain: str, found: Sequence[MailExchanger]) -> tuple[str, ...]:
    """Who takes mail for a domain, as far as routes tell providers apart: its exchangers of best preference, sorted,
    or the domain itself where it has none; nobody for a null MX. found: as DNS gave them."""
    if not found:
        return (domain,)  # RFC 5321 §5.1
    best = min(exchanger.preference for exchanger in found)
    return tuple(sorted({each.host.lower() for each in found if each.preference == best and each.host}))


async def _implicit(
    resolver: HostResolver, domain: str, own_host: str, found: Answer[MailExchanger]
) -> Hosts | SmtpReply:
    if domain == own_host:
        return SmtpReply(code=554, status="5.4.6", text=f"mail for {domain} loops back to this server")
    # RFC 5321 §5.1: without an MX, the domain's own address records stand for one of preference 0.
    if (await resolver.addresses_answer(domain)).values:
        return Hosts((domain,), found)
    return SmtpReply(code=550, status="5.1.2", text=f"{domain} does not exist or has no mail server")


def _below_own(found: Sequence[MailExchanger], own_host: str) -> list[MailExchanger]:
    own = [exchanger.preference for exchanger in found if exchanger.host == own_host]
    # RFC 5321 §5.1: those of our own preference and worse are dropped, or two servers would play mail back and forth.
    return [exchanger for exchanger in found if not own or exchanger.preference < min(own)]


def _literal(domain: str) -> str:
    inner = domain.strip("[]")
    return inner[5:] if inner[:5].lower() == "ipv6:" else inner  # RFC 5321 §4.1.3
