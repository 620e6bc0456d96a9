"""Who has to come again before their mail is taken: model.greylist's rule over what all nodes remember. RFC 6647 §2.4.

What is remembered is bounded however many senders are made up: a triplet has one of a million places, so that two may
share one, and then the later of them has a little less to wait.
"""

import hashlib

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.greylist import GreyEntry, judge, network_of
from mailstack.model.instant import Clock
from mailstack.ports.greylist import Greylist

PLACES = 1 << 20

log = structlog.get_logger()


class Greylisting:
    def __init__(self, greylist: Greylist, *, clock: Clock) -> None:
        self._greylist = greylist
        self._clock = clock

    async def wait_ms(self, host: str, sender: str, recipient: str) -> int:
        """0: take it. host: an address; what is none is taken, and so is all where nothing can be remembered."""
        try:
            network = network_of(host)
        except ValueError:
            return 0
        triplet, now = _place(network, sender, recipient), self._clock()
        try:
            found = await self._greylist.find((triplet, network), now=now)
            verdict = judge(found.get(triplet), found.get(network), now)
            kept: dict[str, GreyEntry | None] = {triplet: verdict.triplet, network: verdict.network}
            news = {key: entry for key, entry in kept.items() if entry is not None}
            if news:
                await self._greylist.keep(news)
        except DomainError as fault:
            log.warning("greylist cannot be kept", reason=fault.detail)
            return 0
        return verdict.wait_ms


def _place(network: str, sender: str, recipient: str) -> str:
    words = "\0".join((network, sender.casefold(), recipient.casefold()))
    digest = hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return f"#{int.from_bytes(digest, 'big') % PLACES}"
