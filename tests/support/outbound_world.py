"""Everything that mail on its way out passes through, in memory: who lives here, and what left."""

import itertools
from dataclasses import dataclass, field

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.ports.resolver import MailExchanger
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.outbound.route import RouteTable
from mailstack.services.outbound.schedule import Schedule
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.submit import Submission
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.fake_clock import FakeClock
from tests.support.leased_queue import LeasedQueue
from tests.support.memory_accounts import make_account, make_domain
from tests.support.memory_messages import MemoryMessages
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
    routes: RouteTable = field(default_factory=RouteTable)
    schedule: Schedule = field(default_factory=Schedule)
    signing_keys: dict[str, list[SigningKey]] = field(default_factory=dict)
    queue: LeasedQueue = field(init=False)
    _tokens: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.queue = LeasedQueue(self.bus)

    def token(self, size: int) -> bytes:
        return next(self._tokens).to_bytes(size, "big")

    def service(self) -> OutboundService:
        return OutboundService(
            hostname=HOSTNAME,
            postmaster=ALICE.login,
            accounts=self.accounts,
            delivery=self.delivery(),
            routes=self.routes,
            transport=self.transport,
            resolver=self.resolver,
            token=self.token,
            schedule=self.schedule,
        )

    def submission(self) -> Submission:
        return Submission(
            hostname=HOSTNAME,
            postmaster=ALICE.login,
            accounts=self.accounts,
            delivery=self.delivery(),
            signing_keys=self.signing_keys,
            clock=self.clock,
            token=self.token,
        )

    def delivery(self) -> Delivery:
        return Delivery(mailboxes=self.messages.mailboxes, messages=self.messages, queue=self.queue)
