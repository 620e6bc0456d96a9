"""A ban that a person orders: whom it is for, and how it stands beside those that the server makes by itself."""

from mailstack.model.conduct import Ban, peer_of
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.networks import LOOPBACK
from mailstack.ports.bans import Bans

REASON = "by hand"
NETWORK = "/64"
"""Of IPv6, as the list shows it."""


def named_peer(text: str) -> str:
    """text: an address, or a peer as the list of bans has it. Raises Invalid."""
    address = text.removesuffix(NETWORK)
    try:
        peer = peer_of(address)
    except ValueError:
        raise Invalid(f"{text!r} is no IP address") from None
    if address in LOOPBACK:
        raise Invalid("this machine itself is never banned")
    return peer


async def ban(bans: Bans, peer: str, *, reason: str, length_ms: int, now: Instant) -> Ban:
    """In place of the peer's last one, which its own next counts with."""
    last = await bans.last(peer)
    made = Ban(
        peer=peer,
        reason=reason or REASON,
        since=now,
        until=Instant(now + length_ms),
        times=last.times if last is not None else 1,
    )
    await bans.put(made)
    return made
