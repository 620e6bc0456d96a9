"""Addresses that refuse mail for good, in memory."""

from collections.abc import Collection, Sequence

from mailstack.model.bad_address import BadAddress, SuppressRule
from mailstack.model.bad_address import refused as after_refusal
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant
from mailstack.ports.bad_addresses import MOST_ADDRESSES


class MemoryBadAddresses:
    """Works as ports.bad_addresses.BadAddresses."""

    def __init__(self) -> None:
        self._known: dict[str, BadAddress] = {}

    def __contains__(self, address: str) -> bool:
        return address in self._known

    async def find(self, address: str) -> BadAddress | None:
        return self._known.get(address)

    async def refused(self, address: str, reply: SmtpReply, *, now: Instant, rule: SuppressRule) -> BadAddress | None:
        changed = after_refusal(self._known.get(address), address, reply, now=now, rule=rule)
        if changed is not None:
            self._known[address] = changed
        return changed

    async def accepted(self, address: str) -> None:
        if address in self._known and not self._known[address].by:
            del self._known[address]

    async def put(self, bad: BadAddress) -> None:
        self._known[bad.address] = bad

    async def remove(self, addresses: Collection[str]) -> Sequence[BadAddress]:
        return [self._known.pop(address) for address in sorted(set(addresses)) if address in self._known]

    async def page(self, *, after: str, limit: int) -> Sequence[BadAddress]:
        return [self._known[address] for address in sorted(self._known) if address > after][:limit]

    async def forget(self, *, now: Instant, most: int = MOST_ADDRESSES) -> int:
        left = [bad for bad in self._known.values() if not bad.is_over(now)]
        refusing = sorted((bad for bad in left if not bad.by), key=lambda bad: bad.last_at, reverse=True)
        kept = [*(bad for bad in left if bad.by), *refusing[:most]]
        gone = len(self._known) - len(kept)
        self._known = {bad.address: bad for bad in kept}
        return gone
