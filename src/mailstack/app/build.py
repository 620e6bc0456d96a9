"""The adapters of one process, opened together and closed together: the only place that names concrete ones."""

import hashlib
import secrets
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from mailstack.app.api_process import ApiProcesses
from mailstack.app.clock import system_clock
from mailstack.app.messages import Job
from mailstack.app.metrics.shared import Cell
from mailstack.app.shared_clock import SharedClock
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_bus, open_store
from mailstack.clients.smtp.tls import TlsContexts, client_contexts, verified_context
from mailstack.formats.vapid import key_of
from mailstack.ports.bus import GENERATION_TOPIC, Bus
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.ports.store import Store
from mailstack.servers.api.failures import Failures
from mailstack.servers.calls import Calls
from mailstack.servers.jmap.object_states import ObjectStates
from mailstack.services.conduct import Conduct
from mailstack.services.mailbox.view import ViewSource
from mailstack.services.mailbox.views import ViewCache
from mailstack.services.spam.experience import Experience, experience_of
from mailstack.services.states.feed import StateFeed
from mailstack.services.states.mail import MailStates
from mailstack.services.states.source import StateSource
from mailstack.store.bus_local import LocalBus
from mailstack.store.bus_nodes import NodesBus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What no spec says. job: what the server was started to do. trust_loopback: connections from this machine may log
    in without TLS. hold_outbound: mail to others is kept, not sent."""

    storage: StoreAddress
    job: Job
    trust_loopback: bool
    hold_outbound: bool


class StoreBus:
    """The bus as a worker's store sees it: what its own supervisor applied is told by the worker itself.

    The applier publishes nothing, or the supervisor would be woken by what it has just done.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._wakes: list[Callable[[], None]] = []
        self._watch_all: list[Callable[[str], None]] = []

    def publish(self, topic: str) -> None:
        self._bus.publish(topic)
        for hear in self._watch_all:
            hear(topic)

    def watch_all(self, hear: Callable[[str], None]) -> Callable[[], None]:
        """Every topic of this store's own writes, not those of other processes. Returns what ends the watch."""
        self._watch_all.append(hear)
        return lambda: self._watch_all.remove(hear)

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        if topic == GENERATION_TOPIC:
            self._wakes.append(wake)
        return self._bus.watch(topic, wake)

    def tell_of_new_generation(self) -> None:
        for wake in self._wakes:
            wake()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """views: of mailboxes, which outlive generations as the store does; so does feed, which tells of new states, and
    conduct, that of strangers, and so do calls and failures, the API's; and experience, with those who send mail
    here. push_key: by which push services know this server. metrics: of this process; cells: what all have counted."""

    store: Store
    views: ViewCache
    feed: StateFeed
    conduct: Conduct
    experience: Experience
    store_bus: StoreBus
    bus: LocalBus | NodesBus
    tls_contexts: TlsContexts
    https_tls: ssl.SSLContext
    push_key: EllipticCurvePrivateKey
    calls: Calls
    failures: Failures
    metrics: Metrics
    cells: Callable[[], Iterable[Cell]]
    clock: SharedClock
    token: Callable[[int], bytes]
    cache_key: bytes

    async def close(self) -> None:
        await self.clock.end()
        await self.store.close()
        await self.bus.close()


async def open_adapters(
    settings: RunSettings, metrics: Metrics = UNCOUNTED, cells: Callable[[], Iterable[Cell]] = tuple
) -> Adapters:
    """Raises DomainError or OSError, naming what could not be opened; then nothing is left open."""
    bus = open_bus(settings.storage)
    await bus.start()
    store_bus = StoreBus(bus)
    clock = SharedClock(system_clock)
    try:
        store = await _open_store(settings.storage, clock, store_bus, metrics)
        experience, push_key = await _experience_and_push_key(store)
    except BaseException:
        await bus.close()
        raise
    source = ViewSource(mailboxes=store.mailboxes, messages=store.messages, changes=store.changes)
    return Adapters(
        store=store,
        views=ViewCache(source, clock=clock),
        feed=StateFeed(sources_of(store), store.sharing, bus),
        conduct=Conduct(clock=clock),
        experience=experience,
        store_bus=store_bus,
        bus=bus,
        tls_contexts=client_contexts(),
        https_tls=verified_context(),
        push_key=push_key,
        calls=ApiProcesses(settings.storage, settings.job),
        failures=Failures(system_clock),
        metrics=metrics,
        cells=cells,
        clock=clock,
        token=secrets.token_bytes,
        cache_key=secrets.token_bytes(32),
    )


def sources_of(store: Store) -> Sequence[StateSource]:
    mail = MailStates(changes=store.changes, accounts=store.accounts)
    return mail, ObjectStates(journal=store.object_journal)


async def _open_store(storage: StoreAddress, clock: SharedClock, bus: Bus, metrics: Metrics) -> Store:
    """clock: goes by the database's from here on, where there is one."""
    store = await open_store(storage, clock=clock, bus=bus, metrics=metrics)
    try:
        if storage.database:
            await clock.begin(store)
    except BaseException:  # nobody else knows of the store yet
        await store.close()
        raise
    return store


async def _experience_and_push_key(store: Store) -> tuple[Experience, EllipticCurvePrivateKey]:
    """The key is the same on every node, as long as the store is the same."""
    try:
        return await experience_in(store), key_of(await store.state.digest_key())
    except BaseException:  # nobody else knows of the store yet
        await store.close()
        raise


async def experience_in(store: Store) -> Experience:
    """Raises DomainError."""
    secret = hashlib.blake2b(b"senders", key=await store.state.digest_key(), digest_size=32).digest()
    return experience_of(store.reputation, store.acquaintances, secret=secret, clock=store.clock)
