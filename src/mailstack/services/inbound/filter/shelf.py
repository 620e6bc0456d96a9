"""Which scripts run over the mail of an account, compiled once for as long as they stay the same.

First those that the server has before, then the account's own, which is the spec's where the spec has one for it and
else the one that the user made active, then the answer of who is away, then those that the server has after.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.errors import NotFound
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.scripts import RunScripts
from mailstack.services.scripts import compile_aside
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.faults import Broken
from mailstack.sieve.run import Script

COMPILED_REMEMBERED = 2_000


class Origin(StrEnum):
    BEFORE = "before"  # of the server
    SPEC = "spec"  # the account's, kept in the spec
    OWN = "own"
    VACATION = "vacation"  # made of the account's VacationResponse
    AFTER = "after"  # of the server


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedScript:
    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerScripts:
    """named: those that `include :global` finds."""

    before: tuple[NamedScript, ...] = ()
    after: tuple[NamedScript, ...] = ()
    named: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnShelf:
    name: str
    origin: Origin
    content: bytes = field(repr=False)


class Shelf:
    """One for each generation."""

    def __init__(
        self, *, scripts: RunScripts, accounts: Accounts, server: ServerScripts, is_traced: bool = False
    ) -> None:
        self._scripts = scripts
        self._accounts = accounts
        self._server = server
        self._is_traced = is_traced
        self._compiled: OrderedDict[bytes, Script | Broken] = OrderedDict()
        self._before = tuple(OnShelf(name=one.name, origin=Origin.BEFORE, content=one.content) for one in server.before)
        self._after = tuple(OnShelf(name=one.name, origin=Origin.AFTER, content=one.content) for one in server.after)

    async def scripts_of(self, account: Account) -> Sequence[OnShelf]:
        """In the order in which they run."""
        own = await self._own(account)
        return (*self._before, *own, *self._after) if own else self._before + self._after

    async def compiled(self, content: bytes) -> Script | Broken:
        """Broken: one that was fit when it was put here need not be in another version."""
        found = self._compiled.get(content)
        if found is not None:
            self._compiled.move_to_end(content)
            return found
        try:
            found = await compile_aside(content, EXTENSIONS, is_traced=self._is_traced)
        except Broken as broken:
            found = broken
        self._compiled[content] = found
        if len(self._compiled) > COMPILED_REMEMBERED:
            self._compiled.popitem(last=False)
        return found

    async def included(self, account: Account, name: str, *, is_global: bool) -> Script | Broken | None:
        """RFC 6609 §3.2. None: there is none of that name."""
        if is_global:
            content = self._server.named.get(name)
        else:
            try:
                content = await self._scripts.read(account.account_id, name)
            except NotFound:
                content = None
        return None if content is None else await self.compiled(content)

    async def _own(self, account: Account) -> tuple[OnShelf, ...]:
        of_spec = await self._accounts.managed_script(account.login)
        running = await self._scripts.running(account.account_id)
        by_origin = (
            (Origin.SPEC, None if of_spec is None else of_spec.encode()),
            (Origin.OWN, running.active if of_spec is None else None),
            (Origin.VACATION, running.vacation),
        )
        return tuple(
            OnShelf(name=account.login, origin=origin, content=content)
            for origin, content in by_origin
            if content is not None
        )
