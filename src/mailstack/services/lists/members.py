"""Whom a list's mail reaches: its members as the spec names them, without those who left."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import structlog

from mailstack.model.address import parse_address
from mailstack.model.delivery import NULL_PATH
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.instant import Clock
from mailstack.model.principal import MailingList
from mailstack.ports.unsubscribed import Unsubscribed
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.recipients import Resolution, merge

AT_ONCE = 200
"""Members that are looked up, in the directory's memory as a rule, before others have their turn."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """keys: addresses of all who are reached: as named, logins, and those outside."""

    to: Resolution
    keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    forwarding: Forwarding
    unsubscribed: Unsubscribed
    clock: Clock

    async def left(self, mailing_list: MailingList) -> Collection[str]:
        """Also where nobody may leave any more: who once has, has not come back."""
        return (await self.unsubscribed.members(mailing_list.address)).keys()

    async def of(self, mailing_list: MailingList) -> Reached:
        """Whoever left gets nothing by another name either: not as the account behind it, nor behind an alias."""
        left = await self.left(mailing_list)
        return _without(await self.reached(member for member in mailing_list.members if member not in left), left)

    async def reached(self, addresses: Iterable[str]) -> Reached:
        named = tuple(addresses)
        ours = {name: await self._is_ours(name) for name in {text.rpartition("@")[2] for text in named}}
        outside = tuple(text for text in named if not ours[text.rpartition("@")[2]])
        inside = []
        for text in named:
            if ours[text.rpartition("@")[2]]:
                inside.append(await self._resolved(text))
                if len(inside) % AT_ONCE == 0:
                    await asyncio.sleep(0)
        to = merge((Resolution(external=outside), *inside))
        return Reached(to=to, keys=frozenset((*named, *targets_of(to))))

    async def _is_ours(self, domain: str) -> bool:
        return await self.forwarding.accounts.domain(domain) is not None

    async def _resolved(self, text: str) -> Resolution:
        """Nobody, where the member is gone: that keeps none of the others from receiving."""
        try:
            return await self.forwarding.resolve(parse_address(text), reverse_path=NULL_PATH, now=self.clock())
        except (NotFound, Forbidden, Invalid) as fault:
            log.warning("not reached", member=text, fault=fault.detail)
            return Resolution()


def targets_of(to: Resolution) -> Iterator[str]:
    """The login or address key of all who get it."""
    yield from (account.login for account in to.accounts)
    yield from to.external
    for onward in to.onward:
        yield from onward.targets


def _without(reached: Reached, left: Collection[str]) -> Reached:
    if not left:
        return reached
    to = reached.to
    onward = (
        replace(each, targets=tuple(target for target in each.targets if target not in left)) for each in to.onward
    )
    kept = Resolution(
        accounts=tuple(account for account in to.accounts if account.login not in left),
        external=to.external,
        onward=tuple(each for each in onward if each.targets and each.address not in left),
    )
    return Reached(to=kept, keys=reached.keys - frozenset(left))
