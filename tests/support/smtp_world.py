"""An SMTP server on loopback over ports in memory: who lives there, and what arrived."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.principal import Ability, Account
from mailstack.net.admission import Entrance
from mailstack.net.connections import Connections
from mailstack.servers.sasl import SaslService
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.server import smtp_protocol
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.services.conduct import Conduct
from mailstack.services.identity.login import Login
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.gate import Gate
from mailstack.services.inbound.pipeline import InboundPipeline
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.allowance import Allowance
from mailstack.services.outbound.submit import Submission
from mailstack.services.spam.judging import Judging
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.app_passwords import MemoryAppPasswords
from mailstack.store.memory.submitted import MemorySubmitted
from mailstack.store.memory.unsubscribed import MemoryUnsubscribed
from mailstack.store.memory.verifiers import MemoryVerifiers
from tests.support.dialogue import Client, connect
from tests.support.fake_clock import FakeClock
from tests.support.login_delays import no_delays
from tests.support.mailing_lists import make_lists
from tests.support.memory_accounts import make_account, make_domain
from tests.support.memory_messages import MemoryMessages
from tests.support.memory_queue import MemoryQueue
from tests.support.recording_bus import RecordingBus

HOSTNAME = "mail.example.com"
PASSWORD = "correct horse"

ALICE = make_account(
    "alice@example.com", addresses=("a.example@example.com",), password_hash=hash_password(PASSWORD, cost=HashCost.LOW)
)
BOB = make_account("bob@example.com", quota_bytes=2_000)
SENDER_ONLY = make_account("noreply@example.com", abilities=frozenset({Ability.SUBMIT}))
ADMIN = make_account("admin@example.com")


def make_directory(alice: Account = ALICE) -> MemoryAccounts:
    return MemoryAccounts(
        (alice, BOB, SENDER_ONLY, ADMIN),
        aliases={
            "both@example.com": ("alice@example.com", "bob@example.com"),
            "away@example.com": ("alice@example.com", "friend@elsewhere.example"),
        },
        domains=(
            make_domain("example.com"),
            make_domain("example.net", alias_of="example.com"),
            make_domain("all.example", catch_all="alice@example.com"),
        ),
    )


@dataclass
class SmtpWorld:
    """Change what a test needs before it connects; `service` is asked for each connection."""

    accounts: MemoryAccounts = field(default_factory=make_directory)
    messages: MemoryMessages = field(default_factory=MemoryMessages)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    connections: Connections = field(default_factory=Connections)
    entrance: Entrance = field(default_factory=Entrance)
    clock: FakeClock = field(default_factory=FakeClock)
    limits: Limits = field(default_factory=lambda: Limits(message_bytes=1_000_000))
    conduct: Conduct = field(init=False)
    app_passwords: MemoryAppPasswords = field(init=False)
    gate: Gate | None = None
    judging: Judging | None = None
    tls: ssl.SSLContext | None = None
    is_loopback_secure: bool = True
    is_backup: bool = False
    end_point: bytes | None = None
    senders: SenderPolicy | None = None
    signing_keys: dict[str, list[SigningKey]] = field(default_factory=dict)
    unsubscribed: MemoryUnsubscribed = field(default_factory=MemoryUnsubscribed)
    submitted: MemorySubmitted = field(default_factory=MemorySubmitted)
    port: int = 0
    _tokens: int = 0

    def __post_init__(self) -> None:
        self.conduct = Conduct(clock=self.clock)
        self.app_passwords = MemoryAppPasswords(self.accounts, RecordingBus())

    def service(self) -> SmtpService:
        delivery = Delivery(mailboxes=self.messages.mailboxes, messages=self.messages, queue=self.queue)
        receiving = Receiving(
            hostname=HOSTNAME,
            forwarding=self.forwarding(),
            lists=self.lists(),
            accounts=self.accounts,
            messages=self.messages,
            delivery=delivery,
            senders=self.senders,
            is_backup=self.is_backup,
            gate=self.gate,
            judging=self.judging,
        )
        return SmtpService(
            hostname=HOSTNAME,
            limits=self.limits,
            tls=self.tls,
            sasl=self._sasl(),
            inbound=InboundPipeline(receiving=receiving),
            submission=self._submission(delivery),
            conduct=self.conduct,
            clock=self.clock,
            token=self.token,
            plaintext_is_secure=lambda host: self.is_loopback_secure and host.startswith("127."),
        )

    def forwarding(self) -> Forwarding:
        return Forwarding(
            hostname=HOSTNAME,
            accounts=self.accounts,
            postmaster=ADMIN.login,
            signing_keys=self.signing_keys,
            path_key=b"k" * 32,
        )

    def lists(self) -> Lists:
        resolver = None if self.senders is None else self.senders.resolver
        return make_lists(
            self.forwarding(),
            self.clock,
            unsubscribed=self.unsubscribed,
            signing_keys=self.signing_keys,
            resolver=resolver,
        )

    def token(self, size: int) -> bytes:
        self._tokens += 1
        return hashlib.sha256(str(self._tokens).encode()).digest()[:size]

    def limit(self, **changes: int | float) -> None:
        self.limits = replace(self.limits, **changes)  # type: ignore[arg-type]  # names are checked by replace

    def inbox(self, account: Account) -> list[bytes]:
        return self.messages.raws(account.account_id)

    async def connect(self, source: str | None = None) -> Client:
        return await connect("127.0.0.1", self.port, source=source)

    def _sasl(self) -> SaslService:
        verifiers = MemoryVerifiers(self.accounts)
        login = Login(
            self.accounts,
            verifiers,
            self.app_passwords,
            no_delays(),
            domains=("example.com",),
            clock=self.clock,
            cache_key=b"k" * 32,
        )
        return SaslService(login=login, end_point=lambda _: self.end_point, token=self.token)

    def _submission(self, delivery: Delivery) -> Submission:
        return Submission(
            hostname=HOSTNAME,
            forwarding=self.forwarding(),
            lists=self.lists(),
            accounts=self.accounts,
            delivery=delivery,
            signing_keys=self.signing_keys,
            allowance=Allowance(self.submitted, clock=self.clock),
            clock=self.clock,
            token=self.token,
        )


@asynccontextmanager
async def serving(
    world: SmtpWorld, role: SmtpRole = SmtpRole.MX, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[SmtpWorld]:
    """tls: from the first byte, as for SUBMISSIONS."""
    loop = asyncio.get_running_loop()
    factory = smtp_protocol(world.service, role, world.connections, world.entrance)
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
    world.port = server.sockets[0].getsockname()[1]
    try:
        yield world
    finally:
        server.close()
        await world.connections.drain(grace_s=1)
        await server.wait_closed()
