"""Everything that mail on its way out passes through, in memory: who lives here, and what left."""

import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.bad_address import SuppressRule
from mailstack.model.delivery import OutgoingMail, QueueItem
from mailstack.net.shared_meters import SharedMeters
from mailstack.ports.bad_addresses import BadAddresses
from mailstack.ports.resolver import MailExchanger
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.allowance import Allowance
from mailstack.services.outbound.attempt import Answered, attempt, hosts_of
from mailstack.services.outbound.destination import ToDomain, ToRelay
from mailstack.services.outbound.limits import Entry, Limits, LimitTable
from mailstack.services.outbound.promises import tls_wish
from mailstack.services.outbound.route import RouteTable
from mailstack.services.outbound.schedule import Schedule
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.sts import StsLookup
from mailstack.services.outbound.submit import Submission
from mailstack.services.outbound.suppression import Suppression
from mailstack.services.outbound.warming import Warming
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.bad_addresses import MemoryBadAddresses
from mailstack.store.memory.sts_policies import MemoryStsPolicies
from mailstack.store.memory.submitted import MemorySubmitted
from mailstack.store.memory.warm_days import MemoryWarmDays
from tests.support.fake_clock import FakeClock
from tests.support.leased_queue import LeasedQueue
from tests.support.mailing_lists import make_lists
from tests.support.memory_accounts import make_account, make_domain
from tests.support.memory_messages import MemoryMessages
from tests.support.memory_policy_host import MemoryPolicyHost
from tests.support.memory_resolver import MemoryResolver
from tests.support.memory_transport import MemoryTransport
from tests.support.recording_bus import RecordingBus

HOSTNAME = "mail.example.com"
ALICE = make_account("alice@example.com", addresses=("a.example@example.com",))
BOB = make_account("bob@example.com")
MX = {
    "them.test": [
        MailExchanger(preference=20, host="mx2.them.test"),
        MailExchanger(preference=10, host="mx1.them.test"),
    ],
    "others.test": [MailExchanger(preference=10, host="mx.others.test")],
}


def make_directory() -> MemoryAccounts:
    return MemoryAccounts(
        (ALICE, BOB),
        aliases={
            "both@example.com": ("alice@example.com", "bob@example.com"),
            "away@example.com": ("alice@example.com", "friend@them.test"),
            "sales@example.com": ("alice@example.com",),
        },
        domains=(make_domain("example.com"), make_domain("example.net", alias_of="example.com")),
    )


@dataclass
class OutboundWorld:
    """token: counts up, so that what is made of it is the same in every run."""

    clock: FakeClock = field(default_factory=FakeClock)
    bus: RecordingBus = field(default_factory=RecordingBus)
    accounts: MemoryAccounts = field(default_factory=make_directory)
    messages: MemoryMessages = field(default_factory=MemoryMessages)
    resolver: MemoryResolver = field(default_factory=lambda: MemoryResolver(exchangers=dict(MX)))
    transport: MemoryTransport = field(default_factory=MemoryTransport)
    sts_policies: MemoryStsPolicies = field(default_factory=MemoryStsPolicies)
    policy_host: MemoryPolicyHost = field(default_factory=MemoryPolicyHost)
    routes: RouteTable = field(default_factory=RouteTable)
    schedule: Schedule = field(default_factory=Schedule)
    concurrency: int = 5
    limits: tuple[Entry, ...] = ()
    meters: SharedMeters = field(default_factory=SharedMeters)
    signing_keys: dict[str, list[SigningKey]] = field(default_factory=dict)
    submitted: MemorySubmitted = field(default_factory=MemorySubmitted)
    warm_days: MemoryWarmDays = field(default_factory=MemoryWarmDays)
    bad_addresses: BadAddresses = field(init=False)
    suppress: SuppressRule | None = field(default_factory=SuppressRule)
    queue: LeasedQueue = field(init=False)
    _tokens: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.bad_addresses = known = MemoryBadAddresses()
        self.queue = LeasedQueue(self.bus, known)

    async def queued(self, recipient: str) -> QueueItem:
        mail = OutgoingMail(
            reverse_path=ALICE.login,
            recipients=(recipient,),
            raw=b"x",
            queued_at=self.clock.now,
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t",
        )
        await self.queue.enqueue([mail], next_at=self.clock.now)
        return (await self.queue.items())[-1]

    def forwarding(self) -> Forwarding:
        return Forwarding(
            hostname=HOSTNAME,
            accounts=self.accounts,
            postmaster=ALICE.login,
            signing_keys=self.signing_keys,
            path_key=b"k" * 32,
        )

    def lists(self) -> Lists:
        return make_lists(self.forwarding(), self.clock, signing_keys=self.signing_keys, resolver=self.resolver)

    def token(self, size: int) -> bytes:
        return next(self._tokens).to_bytes(size, "big")

    def service(self) -> OutboundService:
        return OutboundService(
            hostname=HOSTNAME,
            forwarding=self.forwarding(),
            lists=self.lists(),
            accounts=self.accounts,
            delivery=self.delivery(),
            routes=self.routes,
            transport=self.transport,
            resolver=self.resolver,
            sts=self.sts(),
            warming=self.warming(),
            suppression=self.suppression(),
            token=self.token,
            schedule=self.schedule,
            limits=LimitTable(entries=self.limits, rest=Limits(concurrency=self.concurrency)),
        )

    def warming(self) -> Warming:
        return Warming(self.warm_days, clock=self.clock)

    def suppression(self) -> Suppression:
        return Suppression(self.bad_addresses, self.suppress, hostname=HOSTNAME, clock=self.clock)

    def sts(self) -> StsLookup:
        return StsLookup(resolver=self.resolver, policies=self.sts_policies, host=self.policy_host, clock=self.clock)

    def submission(self) -> Submission:
        return Submission(
            hostname=HOSTNAME,
            forwarding=self.forwarding(),
            lists=self.lists(),
            accounts=self.accounts,
            delivery=self.delivery(),
            signing_keys=self.signing_keys,
            allowance=Allowance(self.submitted, clock=self.clock),
            clock=self.clock,
            token=self.token,
        )

    def delivery(self) -> Delivery:
        return Delivery(mailboxes=self.messages.mailboxes, messages=self.messages, queue=self.queue)


async def attempted(
    service: OutboundService, way: ToDomain | ToRelay, items: Sequence[QueueItem], content: bytes
) -> AsyncGenerator[Answered, None]:
    """As the runner attempts them."""
    wish = tls_wish(items[0].handling, content, reverse_path=items[0].reverse_path)
    hosts = await hosts_of(service, way)
    async with aclosing(attempt(service, way, items, content, hosts=hosts, wish=wish)) as answered:
        async for part in answered:
            yield part
