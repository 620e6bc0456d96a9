"""Accounts, domains and what goes with them as they are applied, read once for each generation.

Of ten thousand accounts, that takes a while: who they are is kept, what else there is of them is read for those that a
page shows.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from mailstack.model.ids import Generation
from mailstack.model.resource import AccountBody, Kind, Snapshot, body_of
from mailstack.ports.state import State

KINDS = (Kind.DOMAIN, Kind.ALIAS, Kind.LIST, Kind.DKIM_KEY, Kind.DMARC)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """logins: in order; words: beside them, what one looks for. by_domain: how many there are."""

    logins: Sequence[str]
    words: Sequence[str]
    by_domain: Mapping[str, int]

    def of(self, text: str) -> Sequence[str]:
        """The logins of those in whose address or name it is, whatever the case."""
        wanted = text.strip().casefold()
        return [login for login, words in zip(self.logins, self.words, strict=True) if wanted in words]


class Kept(Generic[Read]):
    """What `read` gives, for as long as the generation is the same."""

    def __init__(self, state: State, read: Callable[[], Awaitable[Read]]) -> None:
        self._state = state
        self._read = read
        self._held: tuple[Generation, Read] | None = None

    async def __call__(self) -> Read:
        held, generation = self._held, await self._state.generation()
        if held is None or held[0] != generation:
            held = self._held = generation, await self._read()
        return held[1]


class Directory:
    """people: who has an account. snapshot: of KINDS. own_thresholds: how many accounts have some of their own."""

    def __init__(self, state: State) -> None:
        self.people: Kept[People] = Kept(state, partial(_people, state))
        self.snapshot: Kept[Snapshot] = Kept(state, partial(state.snapshot, KINDS))
        self.own_thresholds: Kept[int] = Kept(state, partial(_own_thresholds, state))


async def _people(state: State) -> People:
    found = await state.people()
    logins = [login for login, _ in found]
    return People(
        logins=logins,
        # No address and no name has a line's end in it.
        words=[f"{login}\n{name}".casefold() for login, name in found],
        by_domain=Counter(login.rpartition("@")[2] for login in logins),
    )


async def _own_thresholds(state: State) -> int:
    accounts = (await state.snapshot((Kind.ACCOUNT,))).resources.values()
    return sum(body_of(AccountBody, each).spam is not None for each in accounts)
