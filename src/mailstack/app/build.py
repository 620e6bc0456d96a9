"""The adapters of one process, opened together and closed together: the only place that names concrete ones."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mailstack.app.clock import system_clock
from mailstack.app.runfiles import run_folder
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.instant import Clock
from mailstack.net.resolver import DnsResolver
from mailstack.ports.resolver import Resolver
from mailstack.ports.transport import Transport
from mailstack.store.bus_local import LocalBus
from mailstack.store.sqlite.open import SqliteStore, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What no spec says. trust_loopback: connections from this machine may log in without TLS. hold_outbound: mail to
    others is kept, not sent."""

    storage: Path
    trust_loopback: bool
    hold_outbound: bool


class Silence:
    """A bus for processes whose writes nobody needs to be woken for: those who wait are told another way."""

    def publish(self, topic: str) -> None: ...

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002
        return lambda: None


SILENCE = Silence()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    store: SqliteStore
    bus: LocalBus
    resolver: Resolver
    transport: Transport
    clock: Clock
    token: Callable[[int], bytes]

    async def close(self) -> None:
        await self.store.close()
        await self.bus.close()


async def open_adapters(settings: RunSettings) -> Adapters:
    """Raises DomainError or OSError, naming what could not be opened; then nothing is left open."""
    bus = local_bus(settings.storage)
    await bus.start()
    try:
        store = await open_store(settings.storage, clock=system_clock, bus=bus)
    except BaseException:
        await bus.close()
        raise
    return Adapters(
        store=store,
        bus=bus,
        resolver=DnsResolver(clock=system_clock),
        transport=SmtpTransport(),
        clock=system_clock,
        token=secrets.token_bytes,
    )


def local_bus(storage: Path) -> LocalBus:
    return LocalBus(run_folder(storage) / "bus")
